#include "storage/data_directory.hpp"

#include "core/bytes.hpp"
#include "core/check.hpp"
#include "storage/directory_lock.hpp"
#include "storage/file_system.hpp"
#include "storage/keyspace_guard.hpp"
#include "storage/layout.hpp"
#include "storage/wiredtiger_files.hpp"

#include <algorithm>
#include <cstdio>

namespace covey::storage {

namespace {

constexpr uint64_t sync_period_ms = 1000;

/// The row `identity`: whose store this is, and the last run that opened it.
struct identity {
  core::uuid member;
  uint64_t run = 0;
};

std::string encode(const identity& x) {
  std::string result;
  core::byte_writer out{result};
  out.u64(x.member.high);
  out.u64(x.member.low);
  out.u64(x.run);
  return result;
}

/// What the engine holds of the marks.
struct inside_marks {
  std::optional<identity> owner;
  /// Last commit of each shard; zero if it never committed.
  std::vector<uint64_t> sequences;
};

/// Reads a row of the system table as big-endian integers; empty `out` if it is
/// not there. False if it cannot be read or has another size.
bool read_integers(session& from, const std::string& row, size_t count,
                   std::vector<uint64_t>& out) {
  std::string_view value;
  auto code = from.get(system_table, row, value);
  out.clear();
  if (code == status::not_found)
    return true;
  if (code != status::ok || value.size() != count * 8)
    return false;
  core::byte_reader in{value};
  for (size_t i = 0; i < count; ++i)
    out.push_back(in.u64());
  return true;
}

bool read_inside(session& from, uint32_t shards, inside_marks& out) {
  std::vector<uint64_t> row;
  if (!read_integers(from, identity_row(), 3, row))
    return false;
  if (!row.empty())
    out.owner = identity{{row[0], row[1]}, row[2]};
  for (uint32_t shard = 0; shard < shards; ++shard) {
    if (!read_integers(from, sequence_row(shard), 1, row))
      return false;
    out.sequences.push_back(row.empty() ? 0 : row[0]);
  }
  return true;
}

std::string other_owner(const core::uuid& found, const core::uuid& wanted) {
  return "it belongs to member " + core::to_string(found)
         + ", and this node is " + core::to_string(wanted)
         + ": check the name and the data directory in its configuration";
}

/// Why the engine may not be used with these marks outside; empty if it may.
std::string compare(const std::optional<markers>& outside,
                    const inside_marks& inside, const core::uuid& member) {
  if (inside.owner && inside.owner->member != member)
    return other_owner(inside.owner->member, member);
  if (!outside) {
    // Before the marks were first written no shard could commit anything.
    auto committed = [](uint64_t sequence) {
      return sequence > 0;
    };
    if (std::any_of(inside.sequences.begin(), inside.sequences.end(),
                    committed))
      return std::string{"the file "} + marker_file::name
             + " is missing, so nobody can tell whether the store is "
               "complete: "
             + refill_advice;
    return {};
  }
  if (!inside.owner)
    return std::string{"acknowledged writes are missing: the store is empty, "
                       "but was used before: "}
           + refill_advice;
  for (size_t shard = 0; shard < inside.sequences.size(); ++shard)
    if (inside.sequences[shard] < outside->flushed[shard])
      return "acknowledged writes are missing: shard " + std::to_string(shard)
             + " holds commits up to " + std::to_string(inside.sequences[shard])
             + ", " + std::to_string(outside->flushed[shard])
             + " were flushed: " + refill_advice;
  if (inside.owner->run < outside->run)
    return "acknowledged writes are missing: the store knows runs up to "
           + std::to_string(inside.owner->run) + ", run "
           + std::to_string(outside->run)
           + " was the last one: " + refill_advice;
  return {};
}

bool write_identity(engine& to, const identity& x) {
  auto session = to.open_session();
  if (session->begin() != status::ok)
    return false;
  session->put(system_table, identity_row(), encode(x));
  if (session->commit() != status::ok)
    return false;
  session.reset();
  if (!to.flush())
    to.checkpoint();
  return true;
}

} // namespace

struct data_directory::impl {
  directory_options options;
  // Declared in the order in which they are opened.
  std::unique_ptr<directory_lock> lock;
  std::optional<marker_file> outside;
  std::unique_ptr<storage::engine> inside;
  markers marks;
  uint64_t previous_run = 0;
  uint64_t synced_ms = 0;
  bool ever_synced = false;
  /// Whether the last attempt to write the marks failed, so as to log it once.
  bool failing = false;

  void log(const std::string& line, bool alarm) const {
    if (options.engine.log)
      options.engine.log(line, alarm);
    else
      std::fprintf(stderr, "%s\n", line.c_str());
  }

  /// All that `open` does. Empty, or what is wrong.
  std::string open() {
    const auto& directory = options.engine.directory;
    std::string error;
    if (!create_directory(directory, error))
      return error;
    lock = directory_lock::acquire(directory, error);
    if (!lock)
      return error;
    outside = marker_file::open(directory, error);
    if (!outside)
      return error;
    if (const auto& found = outside->read()) {
      core::uuid owner{found->id_high, found->id_low};
      if (owner != options.member)
        return other_owner(owner, options.member);
    }
    inside = open_wiredtiger(options.engine, error);
    if (!inside)
      return error;
    error = check_marks();
    if (error.empty())
      error = start_run();
    return error.empty() ? guard_keyspaces(*inside, options.keyspaces) : error;
  }

  std::string check_marks() {
    const auto& found = outside->read();
    if (found && found->flushed.size() != inside->shards())
      return std::string{marker_file::name} + " marks "
             + std::to_string(found->flushed.size())
             + " shards, but the store has " + std::to_string(inside->shards())
             + ": " + refill_advice;
    inside_marks held;
    if (!read_inside(*inside->open_session(), inside->shards(), held))
      return std::string{"the marks in the store cannot be read: "}
             + refill_advice;
    auto error = compare(found, held, options.member);
    previous_run
      = std::max(found ? found->run : 0, held.owner ? held.owner->run : 0);
    marks.flushed = std::move(held.sequences);
    return error;
  }

  std::string start_run() {
    marks.id_high = options.member.high;
    marks.id_low = options.member.low;
    marks.run = std::max(previous_run + 1, options.now_s);
    // Inside first: a crash in between leaves marks that ask for less.
    if (!write_identity(*inside, {options.member, marks.run}))
      return "the store refuses to be written";
    if (!outside->write(marks, true))
      return std::string{"the file "} + marker_file::name
             + " cannot be written: check the disk";
    inside->disk_is_full();
    return {};
  }

  void write_marks(bool sync) {
    bool failed = !outside->write(marks, sync);
    if (failed && !failing)
      log("the file " + options.engine.directory + "/" + marker_file::name
            + " cannot be written: a loss of acknowledged writes might go "
              "unnoticed at the next start",
          true);
    failing = failed;
  }
};

std::unique_ptr<data_directory>
data_directory::open(const directory_options& options, std::string& error) {
  auto result = std::make_unique<impl>();
  result->options = options;
  error = result->open();
  if (!error.empty()) {
    const auto& directory = options.engine.directory;
    if (error.find(directory) == std::string::npos)
      error = "data directory " + directory + ": " + error;
    return nullptr;
  }
  return std::unique_ptr<data_directory>{new data_directory(std::move(result))};
}

data_directory::data_directory(std::unique_ptr<impl> x) : impl_(std::move(x)) {}

data_directory::~data_directory() {
  close();
}

storage::engine& data_directory::engine() {
  COVEY_CHECK(impl_->inside);
  return *impl_->inside;
}

uint64_t data_directory::run() const {
  return impl_->marks.run;
}

uint64_t data_directory::previous_run() const {
  return impl_->previous_run;
}

void data_directory::note_flushed(const std::vector<uint64_t>& sequences,
                                  uint64_t now_ms) {
  auto& x = *impl_;
  COVEY_CHECK(x.inside && sequences.size() == x.marks.flushed.size());
  for (size_t shard = 0; shard < sequences.size(); ++shard)
    x.marks.flushed[shard] = std::max(x.marks.flushed[shard], sequences[shard]);
  bool sync = !x.ever_synced || now_ms - x.synced_ms >= sync_period_ms;
  x.write_marks(sync);
  if (sync) {
    x.ever_synced = true;
    x.synced_ms = now_ms;
  }
}

void data_directory::close() {
  auto& x = *impl_;
  if (!x.inside)
    return;
  x.inside->checkpoint();
  x.write_marks(true);
  x.inside.reset();
  x.outside.reset();
  x.lock.reset();
}

} // namespace covey::storage
