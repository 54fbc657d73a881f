#include "runtime/config_file.hpp"

#include <caf/detail/parser/read_ini.hpp>
#include <caf/parser_state.hpp>
#include <caf/string_view.hpp>
#include <caf/timestamp.hpp>
#include <caf/uri.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace covey::runtime {

namespace {

constexpr size_t max_file_size = 1048576;

using state = caf::string_parser_state;

knob_value convert(int64_t x) {
  return x;
}

knob_value convert(bool x) {
  return x;
}

knob_value convert(std::string x) {
  return knob_value{std::move(x)};
}

knob_value convert(double) {
  return foreign_value{"a fraction"};
}

knob_value convert(caf::timespan) {
  return foreign_value{"a duration with a unit"};
}

knob_value convert(caf::atom_value) {
  return foreign_value{"a word in single quotes"};
}

knob_value convert(const caf::uri&) {
  return foreign_value{"a URI"};
}

/// Takes maps apart that stand where no section can.
struct map_consumer {
  knob_value* target;

  map_consumer begin_map() {
    return {nullptr};
  }

  map_consumer begin_list() {
    return {nullptr};
  }

  void end_map() {
    if (target != nullptr)
      *target = foreign_value{"a group in braces"};
  }

  void end_list() {
    // Part of a map that is refused as a whole.
  }

  void key(const std::string&) {
    // Likewise.
  }

  template <class T>
  void value(T&&) {
    // Likewise.
  }
};

/// Collects a list of texts; anything else in it makes all of it foreign.
class list_consumer {
public:
  explicit list_consumer(knob_value* target) : target_(target) {
    // nop
  }

  list_consumer begin_list() {
    foreign_ = true;
    return list_consumer{nullptr};
  }

  map_consumer begin_map() {
    foreign_ = true;
    return {nullptr};
  }

  void end_list() {
    if (target_ == nullptr)
      return;
    if (foreign_)
      *target_ = foreign_value{"a list of something else than texts"};
    else
      *target_ = std::move(texts_);
  }

  template <class T>
  void value(T&& x) {
    if constexpr (std::is_same_v<std::decay_t<T>, std::string>)
      texts_.emplace_back(std::forward<T>(x));
    else
      foreign_ = true;
  }

private:
  knob_value* target_;
  bool foreign_ = false;
  text_list texts_;
};

/// Takes a single value.
struct value_consumer {
  knob_value result = foreign_value{"not a value"};

  list_consumer begin_list() {
    return list_consumer{&result};
  }

  map_consumer begin_map() {
    return {&result};
  }

  template <class T>
  void value(T&& x) {
    result = convert(std::forward<T>(x));
  }
};

/// Collects the entries of a section and of those inside it. Entries whose
/// list is still being read live in `out`, hence the indirection by index.
class section_consumer {
public:
  section_consumer(file_content& out, const state& ps, std::string name)
    : out_(out), ps_(ps), name_(std::move(name)) {
    // nop
  }

  void key(std::string x) {
    key_ = std::move(x);
    line_ = ps_.line;
  }

  section_consumer begin_map() {
    // The grammar calls what stands before any section "global".
    auto top = name_.empty() && key_ == "global";
    auto name = top ? "" : name_.empty() ? key_ : name_ + "." + key_;
    if (!top)
      out_.sections.push_back({name, line_});
    return {out_, ps_, std::move(name)};
  }

  list_consumer begin_list() {
    // A list holds no keys, so that nothing moves this entry meanwhile.
    out_.entries.push_back({name_, key_, text_list{}, line_});
    return list_consumer{&out_.entries.back().value};
  }

  void end_map() {
    // Entries are in `out_` already.
  }

  template <class T>
  void value(T&& x) {
    out_.entries.push_back({name_, key_, convert(std::forward<T>(x)), line_});
  }

private:
  file_content& out_;
  const state& ps_;
  std::string name_;
  std::string key_;
  int line_ = 0;
};

std::string explain(const state& ps, std::string_view text) {
  // The state's own column is one too high from the second line on, and its
  // line is one too high at the end of a line.
  auto c = ps.current();
  auto before = text.substr(0, static_cast<size_t>(ps.i - text.data()));
  auto line
    = std::to_string(1 + std::count(before.begin(), before.end(), '\n'));
  auto column = before.size() - (before.rfind('\n') + 1) + 1;
  std::string what;
  if (ps.i == ps.e)
    what = "the file ends in the middle of something";
  else if (c == '\n')
    what = "the line ends too early";
  else if (ps.code == caf::pec::integer_overflow)
    what = "the number is too large";
  else if (c == '#')
    what = "unexpected '#'; comments start with ';'";
  else if (c == '\r')
    what = "a carriage return; save the file with Unix line ends";
  else
    what = std::string{"unexpected '"} + c + "' in column "
           + std::to_string(column)
           + R"(; write key = 1, key = true, key = "text" or key = ["text"])";
  return "line " + line + ": " + what;
}

} // namespace

file_content parse_config_text(std::string_view text) {
  file_content result;
  if (text.size() > max_file_size) {
    result.error = "larger than a megabyte: not a configuration file";
    return result;
  }
  if (text.find('\0') != std::string_view::npos) {
    result.error = "contains a zero byte: not a configuration file";
    return result;
  }
  state ps{text.begin(), text.end()};
  caf::detail::parser::read_ini(ps, section_consumer{result, ps, ""});
  if (ps.code != caf::pec::success)
    result.error = explain(ps, text);
  return result;
}

file_content read_config_file(const std::string& path) {
  file_content result;
  std::error_code code;
  auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) {
    result.error
      = "cannot be opened: " + (code ? code.message() : std::strerror(ENOENT));
    return result;
  }
  if (std::filesystem::is_directory(status)) {
    result.error = "is a directory, not a file";
    return result;
  }
  std::ifstream in{path, std::ios::binary};
  std::string text(max_file_size + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof() && in.fail()) {
    result.error = std::string{"cannot be read: "} + std::strerror(errno);
    return result;
  }
  text.resize(static_cast<size_t>(in.gcount()));
  return parse_config_text(text);
}

knob_value parse_config_value(std::string_view text) {
  state ps{text.begin(), text.end()};
  value_consumer consumer;
  caf::detail::parser::read_ini_value(ps, consumer);
  if (ps.code != caf::pec::success)
    return foreign_value{"not a value"};
  return std::move(consumer.result);
}

} // namespace covey::runtime
