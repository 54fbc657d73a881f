// Text forms of replication specs and consistency levels.

#include "core/epoch.hpp"
#include "core/name.hpp"

#include <algorithm>
#include <array>

namespace covey::core {

namespace {

constexpr uint32_t max_replicas = 16;

struct level_name {
  consistency_level level;
  std::string_view name;
};

constexpr std::array<level_name, 9> level_names{{
  {consistency_level::keyspace_default, "DEFAULT"},
  {consistency_level::one, "ONE"},
  {consistency_level::two, "TWO"},
  {consistency_level::three, "THREE"},
  {consistency_level::quorum, "QUORUM"},
  {consistency_level::all, "ALL"},
  {consistency_level::local_one, "LOCAL_ONE"},
  {consistency_level::local_quorum, "LOCAL_QUORUM"},
  {consistency_level::each_quorum, "EACH_QUORUM"},
}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A number from 1 to 16 without leading zeros.
std::optional<uint32_t> parse_count(std::string_view text) {
  if (text.empty() || text.size() > 2 || text.front() == '0'
      || !std::all_of(text.begin(), text.end(), is_digit))
    return std::nullopt;
  uint32_t result = 0;
  for (auto c : text)
    result = result * 10 + static_cast<uint32_t>(c - '0');
  if (result > max_replicas)
    return std::nullopt;
  return result;
}

char canonical(char c) {
  if (c >= 'a' && c <= 'z')
    return static_cast<char>(c - 'a' + 'A');
  return c == '-' ? '_' : c;
}

} // namespace

std::string to_string(const replication_spec& x) {
  if (x.per_data_centre.empty())
    return std::to_string(x.total);
  std::string result;
  for (auto& [name, replicas] : x.per_data_centre) {
    if (!result.empty())
      result += ',';
    result += name + ':' + std::to_string(replicas);
  }
  return result;
}

std::optional<replication_spec> parse_replication(std::string_view text) {
  replication_spec result;
  if (auto total = parse_count(text)) {
    result.total = *total;
    return result;
  }
  for (bool more = true; more;) {
    auto comma = text.find(',');
    more = comma != std::string_view::npos;
    auto part = text.substr(0, comma);
    text.remove_prefix(more ? comma + 1 : text.size());
    auto colon = part.find(':');
    if (colon == std::string_view::npos || !is_name(part.substr(0, colon)))
      return std::nullopt;
    auto replicas = parse_count(part.substr(colon + 1));
    if (!replicas)
      return std::nullopt;
    std::string name{part.substr(0, colon)};
    if (!result.per_data_centre.emplace(std::move(name), *replicas).second
        || result.replicas() > max_replicas)
      return std::nullopt;
  }
  return result;
}

std::string to_string(const consistency& x) {
  if (x.level == consistency_level::number)
    return std::to_string(x.count);
  for (auto& [level, name] : level_names)
    if (level == x.level)
      return std::string{name};
  return "UNKNOWN";
}

std::optional<consistency> parse_consistency(std::string_view text) {
  if (auto n = parse_count(text))
    return consistency{consistency_level::number, *n};
  for (auto& [level, name] : level_names)
    if (std::equal(text.begin(), text.end(), name.begin(), name.end(),
                   [](char x, char y) {
                     return canonical(x) == y;
                   }))
      return consistency{level, 0};
  return std::nullopt;
}

} // namespace covey::core
