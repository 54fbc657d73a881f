#include "runtime/config_help.hpp"

namespace covey::runtime {

namespace {

constexpr const char* usage
  = "coveyd: a node of a covey cluster\n"
    "\n"
    "usage: coveyd --config-file=FILE [--SECTION.KEY=VALUE ...]\n"
    "\n"
    "  --config-file=FILE     reads FILE; start from configs/single.conf\n"
    "  --SECTION.KEY=VALUE    overrides a value of the file\n"
    "  --dump-config          prints the values in effect and exits\n"
    "  --version              prints the version and exits\n"
    "  --help                 prints this and exits\n"
    "\n"
    "configs/annotated.conf tells what higher and lower values do.\n";

void dump_knob(std::string& out, const config_draft& draft, const knob& k,
               const std::string& instance) {
  auto value = k.load(draft, instance);
  auto list = std::get_if<text_list>(&value);
  if (list == nullptr || list->empty()) {
    out += k.key + " = " + to_string(value) + "\n";
    return;
  }
  out += k.key + " = [\n";
  for (auto& x : *list)
    out += "  " + to_string(x) + ",\n";
  out += "]\n";
}

} // namespace

std::string help_text() {
  std::string result = usage;
  std::string section;
  for (auto& k : schema()) {
    if (k.section != section) {
      section = k.section;
      result += "\n[" + section + "]\n";
    }
    result += "  --" + k.section + "." + k.key + "\n      " + k.help
              + "\n      default: " + default_text(k)
              + "; takes: " + range_text(k) + "\n";
  }
  return result;
}

std::string dump_text(const config_draft& draft) {
  std::string result;
  std::string section;
  for (auto& k : schema()) {
    if (k.section == section)
      continue;
    section = k.section;
    auto dump_section
      = [&](const std::string& name, const std::string& instance) {
          result += (result.empty() ? "[" : "\n[") + name + "]\n";
          for (auto& x : schema())
            if (x.section == section)
              dump_knob(result, draft, x, instance);
        };
    if (section == keyspace_section)
      for (auto& entry : draft.keyspaces)
        dump_section(std::string{keyspace_prefix} + entry.first, entry.first);
    else
      dump_section(section, "");
  }
  return result;
}

} // namespace covey::runtime
