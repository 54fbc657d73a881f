#include "runtime/config.hpp"

#include "runtime/config_cluster.hpp"
#include "runtime/config_file.hpp"
#include "runtime/config_help.hpp"
#include "runtime/config_names.hpp"
#include "runtime/config_schema.hpp"

#include <map>
#include <utility>

namespace covey::runtime {

namespace {

/// One `--name=value` of the command line.
struct override_argument {
  std::string name;
  /// Missing for a bare `--name`.
  std::optional<std::string> value;
};

/// Reads one configuration into a draft.
class reader {
public:
  config_draft draft;
  std::vector<std::string> errors;

  /// Returns false if the rest of the configuration is unknown.
  bool read_file(const std::string& path) {
    source_ = "config " + path + ": ";
    auto content = read_config_file(path);
    if (!content.error.empty()) {
      problem(content.error);
      return false;
    }
    for (auto& section : content.sections)
      open_section(section.name);
    std::map<std::string, int> lines;
    for (auto& entry : content.entries)
      take(entry, lines);
    return true;
  }

  void read_arguments(const std::vector<override_argument>& arguments,
                      const std::string& path) {
    source_ = "command line: ";
    std::set<std::string> seen;
    for (auto& x : arguments)
      if (!seen.insert(x.name).second)
        problem("--" + x.name + " is given twice; keep one");
      else
        take(x);
    source_ = "config " + path + ": ";
  }

  void problem(const std::string& line) {
    errors.push_back(source_ + line);
  }

private:
  void open_section(const std::string& name) {
    if (name == "keyspaces")
      return;
    if (!is_section(name)) {
      if (unknown_.insert(name).second)
        problem(unknown_section(name));
      return;
    }
    if (is_keyspace_section(name))
      draft.keyspaces[name.substr(keyspace_prefix.size())];
  }

  void take(const file_entry& x, std::map<std::string, int>& lines) {
    auto name = x.section + "." + x.key;
    if (x.section.empty()) {
      problem(x.key + " on line " + std::to_string(x.line)
              + " stands before any [section]");
      return;
    }
    if (unknown_.count(x.section) > 0)
      return;
    if (x.section == "keyspaces") {
      problem(name + " is unknown; write [keyspaces.NAME] for each keyspace");
      return;
    }
    if (auto [i, fresh] = lines.emplace(name, x.line); !fresh) {
      problem(name + " is defined twice, on lines " + std::to_string(i->second)
              + " and " + std::to_string(x.line) + "; keep one");
      return;
    }
    take(x.section, x.key, x.value);
  }

  void take(const override_argument& x) {
    auto dot = x.name.rfind('.');
    if (dot == std::string::npos) {
      problem(unknown_flag(x.name));
      return;
    }
    auto section = x.name.substr(0, dot);
    auto key = x.name.substr(dot + 1);
    if (!is_section(section)) {
      problem(unknown_section(section));
      return;
    }
    open_section(section);
    auto k = find_knob(section, key);
    if (k == nullptr)
      problem(unknown_key(section, key));
    else if (!x.value && k->type != knob_type::flag)
      problem("--" + x.name + " needs a value: --" + x.name + "=VALUE");
    else
      take(section, key, argument_value(*k, x.value.value_or("true")));
  }

  void take(const std::string& section, const std::string& key,
            const knob_value& value) {
    auto k = find_knob(section, key);
    auto line = k == nullptr ? unknown_key(section, key)
                             : assign(draft, section, *k, value);
    if (!line.empty())
      problem(line);
  }

  /// Texts need no quotes on the command line, where the shell takes them.
  static knob_value argument_value(const knob& k, const std::string& text) {
    auto value = parse_config_value(text);
    auto textual = k.type == knob_type::text || k.type == knob_type::choice
                   || k.type == knob_type::number_or_text;
    if (std::holds_alternative<std::string>(value))
      return value;
    if (textual || std::holds_alternative<foreign_value>(value))
      return text;
    return value;
  }

  std::string source_;
  std::set<std::string> unknown_;
};

/// What the command line asks for.
struct command_line {
  std::string file;
  bool help = false;
  bool version = false;
  bool dump = false;
  std::vector<override_argument> overrides;
  std::vector<std::string> errors;
};

command_line parse_arguments(const std::vector<std::string>& arguments) {
  command_line result;
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto& x = arguments[i];
    if (x == "-h" || x == "--help") {
      result.help = true;
    } else if (x == "--version") {
      result.version = true;
    } else if (x == "--dump-config") {
      result.dump = true;
    } else if (x.size() < 3 || x.compare(0, 2, "--") != 0) {
      result.errors.push_back("command line: \"" + x
                              + "\" is not understood; see coveyd --help");
    } else {
      auto equals = x.find('=');
      auto name
        = x.substr(2, equals == std::string::npos ? equals : equals - 2);
      std::optional<std::string> value;
      if (equals != std::string::npos)
        value = x.substr(equals + 1);
      if (name == "config-file" && !value && i + 1 < arguments.size())
        value = arguments[++i];
      if (name == "config-file")
        result.file = value.value_or("");
      else
        result.overrides.push_back({std::move(name), std::move(value)});
    }
  }
  return result;
}

parse_result failed(std::vector<std::string> errors) {
  parse_result result;
  result.errors = std::move(errors);
  return result;
}

parse_result printed(std::string text) {
  parse_result result;
  result.text = std::move(text);
  return result;
}

} // namespace

parse_result parse_node_config(const std::vector<std::string>& arguments) {
  auto line = parse_arguments(arguments);
  if (line.help)
    return printed(help_text());
  if (line.version)
    return printed(std::string{"coveyd "} + version + "\n");
  if (line.file.empty())
    line.errors.emplace_back("command line: give a configuration file, as in "
                             "coveyd --config-file=configs/single.conf");
  if (!line.errors.empty())
    return failed(std::move(line.errors));
  reader input;
  auto readable = input.read_file(line.file);
  input.read_arguments(line.overrides, line.file);
  if (readable)
    for (auto& x : complete(input.draft))
      input.problem(x);
  if (!input.errors.empty())
    return failed(std::move(input.errors));
  if (line.dump)
    return printed(dump_text(input.draft));
  parse_result result;
  result.config = std::move(input.draft.config);
  return result;
}

parse_result parse_node_config(int argc, const char* const* argv) {
  return parse_node_config(std::vector<std::string>{argv + 1, argv + argc});
}

} // namespace covey::runtime
