#include "runtime/config_value.hpp"

#include <algorithm>
#include <numeric>

namespace covey::runtime {

namespace {

std::string quoted(const std::string& x) {
  std::string result = "\"";
  for (auto c : x) {
    if (c == '"' || c == '\\')
      result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result + '"';
}

struct printer {
  std::string operator()(int64_t x) const {
    return std::to_string(x);
  }

  std::string operator()(bool x) const {
    return x ? "true" : "false";
  }

  std::string operator()(const std::string& x) const {
    return quoted(x);
  }

  std::string operator()(const text_list& xs) const {
    std::string result;
    for (auto& x : xs)
      result += (result.empty() ? "" : ", ") + quoted(x);
    return "[" + result + "]";
  }

  std::string operator()(const foreign_value&) const {
    return "...";
  }
};

/// Levenshtein distance.
size_t distance(std::string_view x, std::string_view y) {
  std::vector<size_t> row(y.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < x.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < y.size(); ++j) {
      auto above = row[j + 1];
      auto replaced = diagonal + (x[i] == y[j] ? 0 : 1);
      row[j + 1] = std::min({above + 1, row[j] + 1, replaced});
      diagonal = above;
    }
  }
  return row.back();
}

} // namespace

std::string to_string(const knob_value& x) {
  return std::visit(printer{}, x);
}

std::string kind_of(const knob_value& x) {
  if (auto foreign = std::get_if<foreign_value>(&x))
    return foreign->kind;
  constexpr const char* kinds[]
    = {"a whole number", "true or false", "text", "a list of texts"};
  return kinds[x.index()];
}

std::string nearest(std::string_view x, const std::vector<std::string>& names) {
  // A third of the letters may differ; more is another word.
  auto best = x.size() / 3 + 1;
  std::string result;
  for (auto& name : names)
    if (auto d = distance(x, name); d < best || (d == best && result.empty())) {
      best = d;
      result = name;
    }
  return result;
}

} // namespace covey::runtime
