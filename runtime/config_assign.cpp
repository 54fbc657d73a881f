// How a value meets its knob.

#include "runtime/config_schema.hpp"

#include <algorithm>

namespace covey::runtime {

namespace {

std::string join(const text_list& xs) {
  std::string result;
  for (size_t i = 0; i < xs.size(); ++i)
    result += (i == 0 ? "" : i + 1 == xs.size() ? " or " : ", ") + xs[i];
  return result;
}

bool has_type(const knob& k, const knob_value& x) {
  auto text = std::holds_alternative<std::string>(x);
  auto number = std::holds_alternative<int64_t>(x);
  switch (k.type) {
    case knob_type::number:
      return number;
    case knob_type::flag:
      return std::holds_alternative<bool>(x);
    case knob_type::text:
    case knob_type::choice:
      return text;
    case knob_type::list:
      return std::holds_alternative<text_list>(x);
    case knob_type::number_or_text:
      return text || number;
  }
  return false;
}

/// What to write instead of a value of the wrong type.
std::string wanted(const knob& k) {
  switch (k.type) {
    case knob_type::number:
      return "write a plain whole number, " + range_text(k);
    case knob_type::flag:
      return "write true or false";
    case knob_type::text:
      return "write text in double quotes";
    case knob_type::choice:
      return "write " + range_text(k) + ", in double quotes";
    case knob_type::list:
      return R"(write a list of texts: ["...", "..."])";
    case knob_type::number_or_text:
      return "write a whole number, or text in double quotes";
  }
  return {};
}

std::string check(const knob& k, const knob_value& x) {
  if (!has_type(k, x))
    return "is " + kind_of(x) + "; " + wanted(k);
  if (k.type == knob_type::number) {
    auto n = std::get<int64_t>(x);
    if (n < k.min || n > k.max)
      return "is out of range: " + range_text(k);
  }
  if (k.type == knob_type::choice) {
    auto& choice = std::get<std::string>(x);
    if (std::find(k.choices.begin(), k.choices.end(), choice)
        == k.choices.end())
      return "is none of these: " + range_text(k);
  }
  return {};
}

} // namespace

std::string default_text(const knob& x) {
  if (!x.default_note.empty())
    return x.default_note;
  return to_string(x.load(config_draft{}, ""));
}

std::string range_text(const knob& x) {
  switch (x.type) {
    case knob_type::number: {
      auto range = std::to_string(x.min) + " to " + std::to_string(x.max);
      return x.unit.empty() ? range : range + " (" + x.unit + ")";
    }
    case knob_type::flag:
      return "true or false";
    case knob_type::text:
      return "text";
    case knob_type::list:
      return "a list of texts";
    case knob_type::choice:
      return join(x.choices);
    case knob_type::number_or_text:
      return "text or a number";
  }
  return {};
}

std::string assign(config_draft& draft, const std::string& section,
                   const knob& x, const knob_value& value) {
  auto instance = x.section == keyspace_section
                    ? section.substr(keyspace_prefix.size())
                    : std::string{};
  auto name = section + "." + x.key;
  draft.given.insert(name);
  auto problem = check(x, value);
  if (problem.empty())
    problem = x.store(draft, instance, value);
  if (problem.empty())
    return {};
  auto foreign = std::holds_alternative<foreign_value>(value);
  return name + (foreign ? " " : " = " + to_string(value) + " ") + problem;
}

} // namespace covey::runtime
