// A process with an open store that does what its standard input says, one
// command a line, and answers each with one line: the hands of faults_test.py.

#include "core/bytes.hpp"
#include "storage/data_directory.hpp"
#include "storage/layout.hpp"

#include <chrono>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

using namespace covey;
using namespace covey::storage;

namespace {

std::string key_of(uint64_t n) {
  auto digits = std::to_string(n);
  return "key" + std::string(8 - digits.size(), '0') + digits;
}

bool parse_option(const std::string& text, directory_options& out) {
  auto split = text.find('=');
  auto name = text.substr(0, split);
  auto value = split == std::string::npos ? "" : text.substr(split + 1);
  if (name == "shards")
    out.engine.shards = static_cast<uint32_t>(std::stoul(value));
  else if (name == "min_free_mb")
    out.engine.min_free_mb = std::stoul(value);
  else if (name == "checkpoint_interval_s")
    out.engine.checkpoint_interval_s = static_cast<uint32_t>(std::stoul(value));
  else if (name == "table_type")
    out.engine.type = value == "lsm" ? table_type::lsm : table_type::btree;
  else if (name == "compression")
    out.engine.compressor
      = value == "snappy" ? compression::snappy : compression::none;
  else if (name == "member")
    out.member.low = std::stoul(value);
  else
    return false;
  return true;
}

/// The store and what was committed to it.
class hands {
public:
  explicit hands(std::unique_ptr<data_directory> store)
    : store_(std::move(store)), session_(store_->engine().open_session()),
      sequences_(store_->engine().shards()) {
    for (uint32_t shard = 0; shard < sequences_.size(); ++shard) {
      std::string_view row;
      if (session_->get(system_table, sequence_row(shard), row) == status::ok)
        sequences_[shard] = core::byte_reader{row}.u64();
    }
  }

  std::string obey(const std::string& command) {
    std::istringstream in{command};
    std::string verb;
    in >> verb;
    if (verb == "put")
      return put(in);
    if (verb == "get")
      return get(in);
    if (verb == "copy")
      return copy(in);
    if (verb == "count")
      return count(in);
    if (verb == "flush")
      return flush();
    if (verb == "full")
      return store_->engine().disk_is_full() ? "yes" : "no";
    if (verb == "checkpoint")
      return store_->engine().checkpoint(), "done";
    if (verb == "close")
      return session_.reset(), store_->close(), "closed";
    return "unknown command";
  }

private:
  /// put SHARD COUNT SIZE: one transaction a row.
  std::string put(std::istream& in) {
    uint32_t shard = 0;
    uint64_t count = 0;
    size_t size = 0;
    in >> shard >> count >> size;
    for (; count > 0; --count) {
      auto code = put_one(shard, sequences_[shard] + 1, size);
      if (code != status::ok)
        return to_string(code);
      ++sequences_[shard];
    }
    return "ok";
  }

  status put_one(uint32_t shard, uint64_t sequence, size_t size) {
    std::string row;
    core::byte_writer{row}.u64(sequence);
    if (session_->begin() != status::ok)
      return status::failed;
    session_->put(shard, key_of(sequence), std::string(size, 'v'));
    session_->put(system_table, sequence_row(shard), row);
    return session_->commit();
  }

  /// get SHARD SEQUENCE
  std::string get(std::istream& in) {
    uint32_t shard = 0;
    uint64_t sequence = 0;
    in >> shard >> sequence;
    std::string_view value;
    return to_string(session_->get(shard, key_of(sequence), value));
  }

  /// copy SHARD SEQUENCE: reads a row and writes it elsewhere, in one
  /// transaction.
  std::string copy(std::istream& in) {
    uint32_t shard = 0;
    uint64_t sequence = 0;
    in >> shard >> sequence;
    if (session_->begin() != status::ok)
      return "no transaction";
    std::string_view found;
    session_->get(shard, key_of(sequence), found);
    session_->put(system_table, "copy", found);
    return to_string(session_->commit());
  }

  /// count SHARD
  std::string count(std::istream& in) {
    uint32_t shard = 0;
    in >> shard;
    size_t rows = 0;
    auto code
      = session_->scan(shard, "", "", [&](std::string_view, std::string_view) {
          ++rows;
          return true;
        });
    return code == status::ok ? std::to_string(rows) : to_string(code);
  }

  std::string flush() {
    auto now = std::chrono::steady_clock::now().time_since_epoch();
    auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now);
    if (store_->engine().flush())
      store_->note_flushed(sequences_, static_cast<uint64_t>(ms.count()));
    return "flushed";
  }

  std::unique_ptr<data_directory> store_;
  std::unique_ptr<session> session_;
  std::vector<uint64_t> sequences_;
};

} // namespace

int main(int argc, char** argv) {
  directory_options options;
  options.engine.shards = 2;
  options.engine.cache_mb = 32;
  options.engine.log_file_mb = 1;
  options.engine.min_free_mb = 0;
  options.member = {0, 1};
  options.now_s = 1;
  options.engine.log = [](const std::string& line, bool alarm) {
    std::fprintf(stderr, "%s: %s\n", alarm ? "alarm" : "info", line.c_str());
  };
  for (int i = 2; i < argc; ++i)
    if (!parse_option(argv[i], options))
      return 2;
  if (argc < 2)
    return 2;
  options.engine.directory = argv[1];
  std::string error;
  auto store = data_directory::open(options, error);
  if (!store) {
    std::cout << "error: " << error << std::endl;
    return 1;
  }
  std::cout << "opened" << std::endl;
  hands x{std::move(store)};
  for (std::string line; std::getline(std::cin, line);)
    std::cout << x.obey(line) << std::endl;
  return 0;
}
