#include "runtime/stored_epoch.hpp"

#include "actors/epoch_keeper.hpp"
#include "core/epoch_codec.hpp"
#include "storage/layout.hpp"

namespace covey::runtime {

epoch_ptr stored_epoch(storage::engine& engine, const node_config& config,
                       std::string& error) {
  auto session = engine.open_session();
  std::string_view bytes;
  auto found
    = session->get(storage::system_table,
                   storage::kept_row(epoch_keeper_state::epoch_name), bytes);
  if (found == storage::status::not_found)
    return std::make_shared<const core::epoch>(config.epoch);
  std::optional<core::epoch> stored;
  if (found == storage::status::ok)
    stored = core::decode_epoch(bytes);
  const auto& me = config.epoch.members[config.self];
  if (!stored || stored->cluster != config.epoch.cluster) {
    error = "the epoch in the data directory is damaged or of another cluster; "
            "restore the directory, or delete it to have this node refilled";
    return nullptr;
  }
  auto index = stored->find_member(me.id);
  if (!index || stored->members[*index].state == core::member_state::removed) {
    error = "member " + me.name + " is not in the epoch of the data directory "
            + "any more: it was removed from the cluster";
    return nullptr;
  }
  return std::make_shared<const core::epoch>(std::move(*stored));
}

} // namespace covey::runtime
