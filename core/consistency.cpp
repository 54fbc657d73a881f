#include "core/consistency.hpp"

#include "core/check.hpp"

#include <algorithm>

namespace covey::core {

namespace {

constexpr size_t max_homes = 16;

uint32_t majority(home_set among) {
  return count(among) / 2 + 1;
}

/// The homes in `data_centre`.
home_set homes_in(const std::vector<std::string>& data_centres,
                  std::string_view data_centre) {
  home_set result = 0;
  for (size_t i = 0; i < data_centres.size(); ++i)
    if (data_centres[i] == data_centre)
      result |= home_set{1} << i;
  return result;
}

std::vector<requirement::part>
majority_of_each(const std::vector<std::string>& data_centres) {
  std::vector<requirement::part> result;
  home_set covered = 0;
  for (size_t i = 0; i < data_centres.size(); ++i) {
    if ((covered & home_set{1} << i) != 0)
      continue;
    auto among = homes_in(data_centres, data_centres[i]);
    result.push_back({among, majority(among)});
    covered |= among;
  }
  return result;
}

} // namespace

bool requirement::met(home_set answered) const {
  return std::all_of(parts.begin(), parts.end(), [answered](const part& x) {
    return core::count(x.among & answered) >= x.count;
  });
}

bool requirement::possible(home_set failed) const {
  return met(~failed);
}

home_set requirement::choose(const home_order& order) const {
  home_set result = 0;
  for (auto place : order) {
    COVEY_CHECK(place < 32);
    auto home = home_set{1} << place;
    auto wanted = std::any_of(parts.begin(), parts.end(), [&](const part& x) {
      return (x.among & home) != 0 && core::count(x.among & result) < x.count;
    });
    if (wanted)
      result |= home;
  }
  return met(result) ? result : 0;
}

uint32_t requirement::needed() const {
  uint32_t result = 0;
  for (auto& x : parts)
    result += x.count;
  return result;
}

std::optional<requirement>
requirement_of(const consistency& level,
               const std::vector<std::string>& data_centres,
               std::string_view local) {
  COVEY_CHECK(level.level != consistency_level::keyspace_default);
  COVEY_CHECK(data_centres.size() <= max_homes);
  auto all = (home_set{1} << data_centres.size()) - 1;
  auto near = homes_in(data_centres, local);
  requirement result;
  switch (level.level) {
    case consistency_level::one:
      result.parts = {{all, 1}};
      break;
    case consistency_level::two:
      result.parts = {{all, 2}};
      break;
    case consistency_level::three:
      result.parts = {{all, 3}};
      break;
    case consistency_level::number:
      result.parts = {{all, level.count}};
      break;
    case consistency_level::quorum:
      result.parts = {{all, majority(all)}};
      break;
    case consistency_level::all:
      result.parts = {{all, count(all)}};
      break;
    case consistency_level::local_one:
      result.parts = {{near, 1}};
      break;
    case consistency_level::local_quorum:
      result.parts = {{near, majority(near)}};
      break;
    case consistency_level::each_quorum:
      result.parts = majority_of_each(data_centres);
      break;
    default:
      return std::nullopt;
  }
  // Counts of zero come from a level without a number or a slot without homes.
  if (result.needed() == 0 || !result.possible(0))
    return std::nullopt;
  result.overlaps_itself_
    = std::any_of(result.parts.begin(), result.parts.end(), [](auto& x) {
        return 2 * x.count > count(x.among);
      });
  return result;
}

std::optional<requirement>
requirement_of_move(const consistency& level,
                    const std::vector<std::string>& data_centres,
                    home_set before, home_set after, std::string_view local) {
  requirement result;
  for (auto set : {before, after}) {
    std::vector<std::string> of_set;
    std::vector<uint32_t> places;
    for (uint32_t i = 0; i < data_centres.size(); ++i)
      if ((set >> i & 1) != 0) {
        of_set.push_back(data_centres[i]);
        places.push_back(i);
      }
    auto one = requirement_of(level, of_set, local);
    if (!one)
      return std::nullopt;
    for (const auto& x : one->parts) {
      requirement::part moved{0, x.count};
      for (size_t i = 0; i < places.size(); ++i)
        if ((x.among >> i & 1) != 0)
          moved.among |= home_set{1} << places[i];
      result.parts.push_back(moved);
    }
    result.overlaps_itself_ = one->overlaps_itself_;
  }
  return result;
}

} // namespace covey::core
