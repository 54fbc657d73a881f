#include "storage/keyspace_guard.hpp"

#include "core/bytes.hpp"
#include "storage/layout.hpp"

namespace covey::storage {

namespace {

using named_specs = std::map<std::string, std::string>;

bool read_known(session& from, named_specs& out) {
  std::string_view value;
  auto code = from.get(system_table, keyspaces_row(), value);
  if (code == status::not_found)
    return true;
  core::byte_reader in{value};
  while (code == status::ok && in.ok() && in.remaining() > 0) {
    auto name = in.bytes();
    auto spec = in.bytes();
    out.emplace(name, spec);
  }
  return code == status::ok && in.ok();
}

bool write_known(engine& store, const named_specs& known) {
  std::string row;
  core::byte_writer out{row};
  for (const auto& [name, spec] : known) {
    out.bytes(name);
    out.bytes(spec);
  }
  auto session = store.open_session();
  if (session->begin() != status::ok)
    return false;
  session->put(system_table, keyspaces_row(), row);
  if (session->commit() != status::ok)
    return false;
  store.flush();
  return true;
}

std::string changed(const std::string& name, const std::string& stored,
                    const std::string& configured) {
  std::string line = "keyspace ";
  line += name;
  line += " is stored with replication ";
  line += stored;
  line += ", the configuration says ";
  line += configured;
  line
    += ": its records would not be found; put the old value back, or export, "
       "change it under another name, and import";
  return line;
}

} // namespace

std::string guard_keyspaces(engine& store, const named_specs& keyspaces) {
  named_specs known;
  if (!read_known(*store.open_session(), known))
    return "the list of keyspaces in the store cannot be read: restore the "
           "directory or empty it";
  auto before = known.size();
  for (const auto& [name, spec] : keyspaces) {
    auto [i, fresh] = known.emplace(name, spec);
    if (i->second != spec)
      return changed(name, i->second, spec);
  }
  if (known.size() > before && !write_known(store, known))
    return "the store refuses to be written";
  return {};
}

} // namespace covey::storage
