// Puts with stand-ins against a slow model that keeps everything that happened.

#define CAF_SUITE core.put_core_model

#include "core/put_core.hpp"
#include "tests/core/level_model.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <random>

using namespace covey::core;

namespace {

using verdict = put_core::verdict;

constexpr uint8_t here = put_core::here;

/// One time that somebody was asked to stand in for a home.
struct duty {
  enum state : uint8_t { asked, done, failed };
  uint8_t home;
  uint8_t place;
  bool counts;
  state now = asked;
};

/// What is known of each home, and every stand-in there ever was.
struct put_model {
  consistency_level level;
  model::homes homes;
  bool strict;
  std::vector<bool> has;
  std::vector<bool> failed;
  std::vector<bool> slow;
  std::vector<bool> given_up;
  std::vector<duty> duties;
  bool answered = false;

  put_model(consistency_level l, model::homes xs, bool s)
    : level(l), homes(std::move(xs)), strict(s), has(homes.size()),
      failed(homes.size()), slow(homes.size()), given_up(homes.size()) {}

  template <class Wanted>
  home_set those(Wanted wanted) const {
    home_set result = 0;
    for (uint8_t i = 0; i < homes.size(); ++i)
      if (wanted(i))
        result |= home_set{1} << i;
    return result;
  }
  template <class Wanted>
  bool any_duty(uint8_t home, Wanted wanted) const {
    return std::any_of(duties.begin(), duties.end(), [&](const duty& d) {
      return d.home == home && wanted(d);
    });
  }
  bool hinted(uint8_t home) const {
    return any_duty(home, [](const duty& d) {
      return d.now == duty::done;
    });
  }
  home_set counted() const {
    return those([&](uint8_t i) {
      return has[i] || (!strict && any_duty(i, [](const duty& d) {
               return d.now == duty::done && d.place != here && d.counts;
             }));
    });
  }
  home_set failures() const {
    return those([&](uint8_t i) {
      return failed[i] && !has[i];
    });
  }
  home_set unsettled() const {
    return those([&](uint8_t i) {
      return !has[i] && !hinted(i) && !given_up[i];
    });
  }
  home_set unattended() const {
    return unsettled() & those([&](uint8_t i) {
             return (failures() >> i & 1) + slow[i] > 0
                    && !any_duty(i, [](const duty& d) {
                         return d.now != duty::failed;
                       });
           });
  }
  /// With everything that may still succeed.
  bool possible() const {
    return model::enough(level, homes, those([&](uint8_t i) {
                           auto helped = any_duty(i, [](const duty& d) {
                             return d.now != duty::failed && d.place != here
                                    && d.counts;
                           });
                           return !failed[i] || has[i] || (helped && !strict);
                         }));
  }
  verdict judge() {
    if (answered)
      return verdict::wait;
    auto met = model::enough(level, homes, counted());
    answered = met || !possible();
    return met ? verdict::succeed : answered ? verdict::fail : verdict::wait;
  }
};

/// A random put, told to both.
class trial {
public:
  trial(consistency_level level, const model::homes& xs, bool strict,
        std::mt19937_64& random)
    : random_(random), model_(level, xs, strict),
      put_(*requirement_of({level, 0}, xs, "a"), strict,
           static_cast<uint8_t>(xs.size())),
      next_place_(static_cast<uint8_t>(xs.size())),
      end_of_places_(static_cast<uint8_t>(xs.size() + draw(4))) {}

  /// Says what differs; nothing if all is well.
  std::string run() {
    for (int step = 0; step < 40; ++step) {
      event();
      auto wrong = compare();
      if (!wrong.empty())
        return wrong + " in step " + std::to_string(step);
    }
    return {};
  }

private:
  uint64_t draw(uint64_t n) {
    return random_() % n;
  }

  void event() {
    auto home = static_cast<uint8_t>(draw(model_.homes.size()));
    switch (draw(8)) {
      case 0:
        put_.durable(home);
        model_.has[home] = true;
        break;
      case 1:
      case 2:
        put_.failed(home);
        model_.failed[home] = true;
        break;
      case 3:
        put_.slow(home);
        model_.slow[home] = true;
        break;
      case 4:
        if (draw(8) == 0) {
          put_.give_up(home);
          model_.given_up[home] = true;
        }
        break;
      case 5:
        attend();
        break;
      default:
        end_a_duty();
    }
  }

  /// Gives a stand-in to a home that needs one.
  void attend() {
    for (uint8_t i = 0; i < model_.homes.size(); ++i) {
      if ((model_.unattended() >> i & 1) == 0)
        continue;
      duty d{i, here, false};
      if (next_place_ < end_of_places_) {
        d.place = next_place_++;
        d.counts = draw(4) != 0;
      }
      put_.stand_in(i, d.place, d.counts);
      model_.duties.push_back(d);
      return;
    }
  }

  /// A stand-in answers, perhaps once more after it was given up.
  void end_a_duty() {
    if (model_.duties.empty())
      return;
    auto& d = model_.duties[draw(model_.duties.size())];
    auto done = draw(2) == 0;
    if (d.place == here) {
      if (done && d.now == duty::asked) {
        put_.kept(d.home);
        d.now = duty::done;
      }
      return;
    }
    if (done)
      put_.hinted(d.place);
    else
      put_.hint_failed(d.place);
    if (d.now == duty::asked)
      d.now = done ? duty::done : duty::failed;
  }

  std::string compare() {
    if (put_.acked() != model_.those([this](uint8_t i) {
          return model_.has[i];
        }))
      return "other homes have it";
    if (put_.failures() != model_.failures())
      return "other homes have failed";
    if (put_.counted() != model_.counted())
      return "other homes are counted";
    if (put_.unsettled() != model_.unsettled()
        || put_.settled() != (model_.unsettled() == 0))
      return "other homes are settled";
    if (put_.unattended() != model_.unattended())
      return "other homes need a stand-in";
    if (put_.possible() != model_.possible())
      return "another opinion of what is possible";
    if (put_.met_by_homes()
        != model::enough(model_.level, model_.homes, put_.acked()))
      return "another opinion of what homes have met";
    if (put_.judge() != model_.judge() || put_.answered() != model_.answered)
      return "another verdict";
    return {};
  }

  std::mt19937_64& random_;
  put_model model_;
  put_core put_;
  uint8_t next_place_;
  uint8_t end_of_places_;
};

} // namespace

CAF_TEST(a put with stand - ins is what the model says in any order) {
  const std::vector<model::homes> placements{
    {"a"},
    {"a", "a", "a"},
    {"a", "b", "a", "b"},
    {"a", "a", "b", "b", "b"},
  };
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    std::mt19937_64 random{seed};
    for (const auto& xs : placements)
      for (auto level :
           {consistency_level::one, consistency_level::quorum,
            consistency_level::local_quorum, consistency_level::each_quorum,
            consistency_level::all})
        for (auto strict : {false, true}) {
          auto wrong = trial{level, xs, strict, random}.run();
          if (!wrong.empty())
            CAF_FAIL("seed " << seed << ", " << to_string(consistency{level, 0})
                             << " of " << xs.size() << " homes"
                             << (strict ? ", strict: " : ": ") << wrong);
        }
  }
  CAF_CHECK(true);
}
