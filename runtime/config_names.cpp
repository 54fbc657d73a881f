#include "runtime/config_names.hpp"

#include "core/name.hpp"
#include "runtime/config_schema.hpp"

#include <algorithm>

namespace covey::runtime {

namespace {

std::string did_you_mean(const std::string& name) {
  return name.empty() ? std::string{} : "; did you mean " + name + "?";
}

std::string full_name(const knob& k) {
  return k.section + "." + k.key;
}

} // namespace

bool is_section(const std::string& name) {
  if (is_keyspace_section(name)) {
    auto keyspace = name.substr(keyspace_prefix.size());
    return core::is_name(keyspace) && keyspace.find('.') == std::string::npos;
  }
  return std::any_of(schema().begin(), schema().end(), [&](const knob& k) {
    return k.section == name;
  });
}

std::string unknown_section(const std::string& name) {
  auto line = "section [" + name + "] is unknown";
  if (is_keyspace_section(name))
    return line + "; name a keyspace in a file with A-Z a-z 0-9 _ - only";
  if (name == "keyspaces")
    return line + "; write [keyspaces.NAME] for each keyspace";
  text_list names;
  for (auto& k : schema())
    names.push_back(k.section);
  auto best = nearest(name, names);
  return line + did_you_mean(best.empty() ? best : "[" + best + "]");
}

std::string unknown_key(const std::string& section, const std::string& key) {
  text_list names;
  for (auto& k : schema())
    if (find_knob(section, k.key) == &k)
      names.push_back(k.key);
  auto best = nearest(key, names);
  if (!best.empty())
    best = section + "." + best;
  for (auto& k : schema())
    if (best.empty() && k.key == key)
      best = full_name(k);
  return section + "." + key + " is unknown" + did_you_mean(best);
}

std::string unknown_flag(const std::string& name) {
  text_list names{"config-file", "dump-config", "version", "help"};
  for (auto& k : schema())
    names.push_back(full_name(k));
  auto best = nearest(name, names);
  for (auto& k : schema())
    if (best.empty() && k.key == name)
      best = full_name(k);
  return "--" + name + " is unknown"
         + did_you_mean(best.empty() ? best : "--" + best);
}

} // namespace covey::runtime
