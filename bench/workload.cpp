#include "bench/workload.hpp"

namespace covey::bench {

const char* to_string(op_kind kind) {
  switch (kind) {
    case op_kind::read:
      return "read";
    case op_kind::update:
      return "update";
    case op_kind::insert:
      return "insert";
    case op_kind::scan:
      return "scan";
    case op_kind::read_modify_write:
      return "rmw";
  }
  return "invalid";
}

const char* to_string(key_choice choice) {
  switch (choice) {
    case key_choice::uniform:
      return "uniform";
    case key_choice::zipfian:
      return "zipfian";
    case key_choice::latest:
      return "latest";
  }
  return "invalid";
}

std::optional<key_choice> parse_key_choice(std::string_view word) {
  for (auto x : {key_choice::uniform, key_choice::zipfian, key_choice::latest})
    if (word == to_string(x))
      return x;
  return std::nullopt;
}

std::optional<workload> parse_workload(std::string_view word) {
  // Percent of read, update, insert, scan, rmw.
  static const workload all[] = {
    {"A", {50, 50, 0, 0, 0}, key_choice::zipfian},
    {"B", {95, 5, 0, 0, 0}, key_choice::zipfian},
    {"C", {100, 0, 0, 0, 0}, key_choice::zipfian},
    {"D", {95, 0, 5, 0, 0}, key_choice::latest},
    {"E", {0, 0, 5, 95, 0}, key_choice::zipfian},
    {"F", {50, 0, 0, 0, 50}, key_choice::zipfian},
    {"W", {0, 100, 0, 0, 0}, key_choice::uniform},
  };
  for (const auto& x : all)
    if (word == x.name)
      return x;
  return std::nullopt;
}

operation_source::operation_source(const workload& what, key_space& keys,
                                   uint64_t seed)
  : workload_(what), keys_(keys), loaded_(keys.size()), random_(seed) {
  if (what.keys == key_choice::latest)
    latest_.emplace(loaded_);
}

uint64_t operation_source::choose_key() {
  switch (workload_.keys) {
    case key_choice::uniform:
      return uniform_below(random_, loaded_);
    case key_choice::zipfian:
      return zipfian_(random_, loaded_);
    case key_choice::latest:
      break;
  }
  return (*latest_)(random_, keys_.size());
}

operation operation_source::next() {
  operation result;
  auto drawn = uniform_below(random_, 100);
  size_t kind = 0;
  while (drawn >= workload_.percent[kind])
    drawn -= workload_.percent[kind++];
  result.kind = static_cast<op_kind>(kind);
  result.key
    = result.kind == op_kind::insert ? keys_.begin_insert() : choose_key();
  if (result.kind == op_kind::scan)
    result.length
      = 1 + static_cast<uint32_t>(uniform_below(random_, max_scan_length));
  return result;
}

} // namespace covey::bench
