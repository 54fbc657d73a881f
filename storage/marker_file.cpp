#include "storage/marker_file.hpp"

#include "core/bytes.hpp"
#include "core/check.hpp"
#include "core/hash.hpp"
#include "storage/file_system.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace covey::storage {

namespace {

// DO NOT CHANGE: docs/format/markers.md.
constexpr std::string_view magic = "coveymk1";
constexpr size_t copy_size = 4096;
constexpr size_t copies = 2;

} // namespace

std::string encode_markers(const marker_copy& copy) {
  const auto& content = copy.content;
  COVEY_CHECK(content.flushed.size() <= max_marked_shards);
  std::string result;
  core::byte_writer out{result};
  out.raw(magic);
  out.u64(copy.generation);
  out.u64(content.id_high);
  out.u64(content.id_low);
  out.u64(content.run);
  out.u32(static_cast<uint32_t>(content.flushed.size()));
  for (auto sequence : content.flushed)
    out.u64(sequence);
  out.u64(core::hash64(result));
  result.resize(copy_size);
  return result;
}

std::optional<marker_copy> decode_markers(std::string_view bytes) {
  if (bytes.size() != copy_size)
    return std::nullopt;
  core::byte_reader in{bytes};
  marker_copy result;
  if (in.raw(magic.size()) != magic)
    return std::nullopt;
  result.generation = in.u64();
  result.content.id_high = in.u64();
  result.content.id_low = in.u64();
  result.content.run = in.u64();
  auto shards = in.u32();
  if (shards > max_marked_shards)
    return std::nullopt;
  for (uint32_t shard = 0; shard < shards; ++shard)
    result.content.flushed.push_back(in.u64());
  auto summed = bytes.substr(0, bytes.size() - in.remaining());
  if (in.u64() != core::hash64(summed)
      || in.raw(in.remaining()).find_first_not_of('\0')
           != std::string_view::npos)
    return std::nullopt;
  return result;
}

struct marker_file::impl {
  ~impl() {
    if (file >= 0)
      ::close(file);
  }

  std::string path;
  int file = -1;
  std::optional<markers> newest;
  uint64_t generation = 0;
  /// Index of the copy that is known to be on disk; writes go to the other.
  size_t kept = 0;
};

std::optional<marker_file> marker_file::open(const std::string& directory,
                                             std::string& error) {
  error.clear();
  auto result = std::make_unique<impl>();
  result->path = directory + "/" + name;
  auto bytes = read_file(result->path, error);
  if (!error.empty())
    return std::nullopt;
  if (!bytes)
    return marker_file{std::move(result)};
  for (size_t i = 0; i < copies && bytes->size() == copies * copy_size; ++i) {
    auto copy = decode_markers(
      std::string_view{*bytes}.substr(i * copy_size, copy_size));
    if (!copy || (result->newest && copy->generation < result->generation))
      continue;
    result->newest = std::move(copy->content);
    result->generation = copy->generation;
    result->kept = i;
  }
  if (!result->newest) {
    error = result->path
            + " is damaged in both copies, so nobody can tell "
              "whether the store is complete: "
            + refill_advice;
    return std::nullopt;
  }
  result->file = ::open(result->path.c_str(), O_RDWR | O_CLOEXEC);
  if (result->file < 0) {
    error = "cannot write " + result->path + ": " + describe_errno(errno);
    return std::nullopt;
  }
  return marker_file{std::move(result)};
}

marker_file::marker_file(std::unique_ptr<impl> x) : impl_(std::move(x)) {}

marker_file::~marker_file() = default;

marker_file::marker_file(marker_file&&) noexcept = default;

marker_file& marker_file::operator=(marker_file&&) noexcept = default;

const std::optional<markers>& marker_file::read() const {
  return impl_->newest;
}

bool marker_file::write(const markers& m, bool sync) {
  auto bytes = encode_markers({impl_->generation + 1, m});
  if (impl_->file < 0) {
    // The first copy: a crash must leave either this or no file at all.
    std::string error;
    bytes.resize(copies * copy_size);
    if (!replace_file(impl_->path, bytes, error))
      return false;
    impl_->file = ::open(impl_->path.c_str(), O_RDWR | O_CLOEXEC);
    if (impl_->file < 0)
      return false;
  } else {
    auto target = copies - 1 - impl_->kept;
    if (!write_at(impl_->file, bytes, target * copy_size)
        || (sync && ::fdatasync(impl_->file) != 0))
      return false;
    if (sync)
      impl_->kept = target;
  }
  ++impl_->generation;
  impl_->newest = m;
  return true;
}

} // namespace covey::storage
