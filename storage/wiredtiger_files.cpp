#include "storage/wiredtiger_files.hpp"

#include "storage/file_system.hpp"
#include "storage/marker_file.hpp"
#include "storage/wiredtiger_config.hpp"

#include <filesystem>
#include <sstream>
#include <unistd.h>
#include <utility>
#include <vector>

namespace covey::storage {

namespace {

constexpr std::string_view layout_title = "covey store 1";

/// What is fixed at creation, by the names of its knobs.
std::vector<std::pair<std::string, std::string>>
fixed_knobs(const wiredtiger_options& options) {
  return {{"storage.shards", std::to_string(options.shards)},
          {"storage.table-type", to_string(options.type)},
          {"storage.compression", to_string(options.compressor)}};
}

std::string layout_text(const wiredtiger_options& options) {
  std::string result{layout_title};
  result += '\n';
  for (const auto& [knob, value] : fixed_knobs(options))
    result.append(knob).append(" ").append(value).append("\n");
  return result;
}

std::string mismatch(const std::string& directory, const std::string& knob,
                     const std::string& value, const std::string& created) {
  return knob + " is " + value + ", but the store in " + directory
         + " was created with " + created + ": set " + knob + " to " + created
         + ", or start with an empty directory";
}

bool check_layout(const wiredtiger_options& options, const std::string& path,
                  const std::string& text, std::string& error) {
  std::istringstream in{text};
  std::string title;
  std::getline(in, title);
  for (const auto& [knob, value] : fixed_knobs(options)) {
    std::string name;
    std::string created;
    if (title != layout_title || !(in >> name >> created) || name != knob) {
      error = path
              + " is damaged: write into it what the store was created "
                "with, as docs/format/keys.md shows";
      return false;
    }
    if (created != value) {
      error = mismatch(options.directory, name, value, created);
      return false;
    }
  }
  return true;
}

bool has_log(const std::string& directory) {
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator{directory, code})
    if (entry.path().filename().string().rfind("WiredTigerLog.", 0) == 0)
      return true;
  return false;
}

/// First missing file of a store that was created, empty if all are there.
std::string missing_file(const wiredtiger_options& options, bool used) {
  const auto& directory = options.directory;
  std::vector<std::string> names{"WiredTiger", "WiredTiger.turtle",
                                 "WiredTiger.wt"};
  if (used)
    names.push_back(table_name(system_table) + ".wt");
  // The files of an LSM tree are numbered: opening the table checks them.
  if (used && options.type == table_type::btree)
    for (uint32_t shard = 0; shard < options.shards; ++shard)
      names.push_back(table_name(shard) + ".wt");
  const std::filesystem::path folder{directory};
  for (const auto& name : names)
    if (!file_exists((folder / name).string()))
      return name;
  return has_log(directory) ? "" : "WiredTigerLog.*";
}

/// A loss of power while the store is created may leave an empty turtle that
/// was not renamed yet: WiredTiger would take it for the real one, and fail.
void forget_unfinished_turtle(const std::string& directory) {
  if (!file_exists(directory + "/WiredTiger.turtle"))
    ::unlink((directory + "/WiredTiger.turtle.set").c_str());
}

bool has_room(const wiredtiger_options& options, std::string& error) {
  // An eighth of the floor is what recovery and its checkpoint may need: an
  // engine that finds no room there panics.
  auto needed_mb = options.min_free_mb / 8;
  auto free = free_bytes(options.directory);
  if (free && *free >> 20 < needed_mb) {
    error = "the disk of " + options.directory
            + " is too full to start: " + std::to_string(*free >> 20)
            + " MB are free, " + std::to_string(needed_mb)
            + " MB are needed (an eighth of storage.min-free-mb): free some";
    return false;
  }
  return true;
}

} // namespace

std::optional<store_state> prepare_store(const wiredtiger_options& options,
                                         std::string& error) {
  const auto& directory = options.directory;
  auto layout_path = directory + "/LAYOUT";
  bool used = file_exists(directory + "/" + marker_file::name);
  if (!create_directory(directory, error) || !has_room(options, error))
    return std::nullopt;
  auto layout = read_file(layout_path, error);
  if (!error.empty())
    return std::nullopt;
  if (layout) {
    if (!check_layout(options, layout_path, *layout, error))
      return std::nullopt;
  } else if (used) {
    error = layout_path + " is missing: " + refill_advice;
    return std::nullopt;
  } else if (file_exists(directory + "/WiredTiger")) {
    error = directory
            + " holds a WiredTiger database that is not covey's: "
              "choose another directory";
    return std::nullopt;
  } else if (!replace_file(layout_path, layout_text(options), error)) {
    return std::nullopt;
  }
  // Tables are made after the turtle file: without it they would be forgotten.
  if (!used
      && !file_exists(directory + "/" + table_name(system_table) + ".wt")) {
    forget_unfinished_turtle(directory);
    return store_state::created;
  }
  auto missing = missing_file(options, used);
  if (!missing.empty()) {
    error = directory + "/" + missing + " is missing: " + refill_advice;
    return std::nullopt;
  }
  return used ? store_state::used : store_state::created;
}

} // namespace covey::storage
