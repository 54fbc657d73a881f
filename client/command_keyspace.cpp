// covey keyspace: adds one, or alters the defaults of one.

#include "client/commands.hpp"
#include "client/report.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace covey::client {

int run_keyspace(const options& opts, client& kv) {
  auto r = kv.change_keyspace(opts.change, opts.request);
  if (auto code = static_cast<errc>(r.code()); code != errc::none)
    return report("keyspace", {code, r.text(), false, false});
  auto dry = opts.change.dry_run();
  if (opts.json) {
    nlohmann::ordered_json object;
    object["decided"] = !dry;
    object["epoch"]
      = {{"generation", r.epoch_generation()}, {"number", r.epoch_number()}};
    object["change"] = r.plan();
    std::printf("%s\n", object.dump().c_str());
  } else {
    auto epoch = std::to_string(r.epoch_generation()) + "."
                 + std::to_string(r.epoch_number());
    std::printf(
      "%s: %s\n",
      (dry ? "would be epoch " + epoch : "epoch " + epoch + " is decided")
        .c_str(),
      r.plan().c_str());
  }
  return exits::done;
}

} // namespace covey::client
