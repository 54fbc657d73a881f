// Builds the knobs of one section of node_config from pointers to members.

#pragma once

#include "runtime/config_schema.hpp"

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace covey::runtime {

/// Numbers and durations alike, in the knob's unit.
template <class T>
int64_t to_number(const T& x) {
  if constexpr (std::is_arithmetic_v<T>)
    return static_cast<int64_t>(x);
  else
    return x.count();
}

template <class T>
T from_number(int64_t x) {
  if constexpr (std::is_arithmetic_v<T>)
    return static_cast<T>(x);
  else
    return T{x};
}

/// Builds the knobs of one section of node_config.
template <class Section>
class section_builder {
public:
  section_builder(std::vector<knob>& out, std::string name,
                  Section node_config::*section)
    : out_(out), name_(std::move(name)), section_(section) {
    // nop
  }

  template <class T>
  knob& number(std::string key, T Section::*member, int64_t min, int64_t max,
               const std::string& unit, std::string help) {
    auto& k = add(std::move(key), knob_type::number, std::move(help));
    k.unit = unit;
    k.min = min;
    k.max = max;
    bind<int64_t>(
      k, member,
      [](int64_t x) {
        return from_number<T>(x);
      },
      [](const T& x) {
        return to_number(x);
      });
    return k;
  }

  knob& flag(std::string key, bool Section::*member, std::string help) {
    auto& k = add(std::move(key), knob_type::flag, std::move(help));
    bind<bool>(k, member, same<bool>, same<bool>);
    return k;
  }

  knob& text(std::string key, std::string Section::*member, std::string help) {
    auto& k = add(std::move(key), knob_type::text, std::move(help));
    bind<std::string>(k, member, same<std::string>, same<std::string>);
    return k;
  }

  /// `choices` are in the order of the enumeration.
  template <class Enum>
  knob& choice(std::string key, Enum Section::*member, const text_list& choices,
               std::string help) {
    auto& k = add(std::move(key), knob_type::choice, std::move(help));
    k.choices = choices;
    bind<std::string>(
      k, member,
      [choices](const std::string& x) {
        size_t i = 0;
        while (i + 1 < choices.size() && choices[i] != x)
          ++i;
        return static_cast<Enum>(i);
      },
      [choices](Enum x) {
        return choices[static_cast<size_t>(x)];
      });
    return k;
  }

private:
  template <class T>
  static T same(const T& x) {
    return x;
  }

  knob& add(std::string key, knob_type type, std::string help) {
    knob k;
    k.section = name_;
    k.key = std::move(key);
    k.type = type;
    k.help = std::move(help);
    out_.push_back(std::move(k));
    return out_.back();
  }

  template <class Stored, class T, class Store, class Load>
  void bind(knob& k, T Section::*member, Store store, Load load) {
    k.store = [section = section_, member, store](
                config_draft& draft, const std::string&, const knob_value& x) {
      draft.config.*section.*member = store(std::get<Stored>(x));
      return std::string{};
    };
    k.load = [section = section_, member, load](const config_draft& draft,
                                                const std::string&) {
      return knob_value{Stored{load(draft.config.*section.*member)}};
    };
  }

  std::vector<knob>& out_;
  std::string name_;
  Section node_config::*section_;
};

/// Append the knobs of [cluster] and of [keyspaces.NAME].
void add_cluster_knobs(std::vector<knob>& out);
void add_keyspace_knobs(std::vector<knob>& out);

} // namespace covey::runtime
