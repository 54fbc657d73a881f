#include "runtime/node.hpp"

#include "messages/network/dialer.hpp"
#include "messages/network/knocker.hpp"
#include "messages/network/publication.hpp"
#include "messages/registration.hpp"
#include "runtime/stored_epoch.hpp"
#include "runtime/wiring.hpp"
#include "storage/data_directory.hpp"

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <google/protobuf/stubs/logging.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <random>

namespace covey::runtime {

namespace {

/// A machine that is there refuses within a round trip.
constexpr auto knock_patience = std::chrono::milliseconds{500};

uint64_t wall_us() {
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch())
      .count());
}

uint64_t steady_ms() {
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch())
      .count());
}

uint64_t micros(std::chrono::milliseconds x) {
  return static_cast<uint64_t>(x.count()) * 1000;
}

/// The settings that caf.md and pipeline.md measured as best here.
struct caf_config : system_config {
  explicit caf_config(uint32_t threads) {
    load<caf::io::middleman>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{threads});
    set("middleman.workers", size_t{0});
    // A connection that a network has swallowed must end, so that dialling it
    // anew can work; links notice silence much earlier.
    set("middleman.heartbeat-interval", caf::timespan{std::chrono::seconds(1)});
    set("middleman.connection-timeout",
        caf::timespan{std::chrono::seconds(15)});
  }
};

network::tls_files tls_files_of(const security_section& x) {
  return {x.certificate, x.key, x.ca_file};
}

/// Present while the data directory is known to lack data that it once held.
std::string lost_file(const node_config& config) {
  return config.node.data_directory + "/LOST";
}

storage::directory_options directory_options_of(const node_config& config) {
  storage::directory_options out;
  auto& engine = out.engine;
  engine.directory = config.node.data_directory;
  engine.shards = config.storage.shards;
  engine.cache_mb = config.storage.cache_mb;
  engine.type = config.storage.table_type;
  engine.compressor = config.storage.compression;
  engine.leaf_page_kb = config.storage.leaf_page_kb;
  engine.checkpoint_log_mb = config.storage.checkpoint_log_mb;
  engine.checkpoint_interval_s = config.storage.checkpoint_interval_s;
  engine.min_free_mb = config.storage.min_free_mb;
  engine.fsync = config.storage.durability == durability_mode::fsync;
  engine.log = [](const std::string& line, bool alarm) {
    if (alarm)
      spdlog::error("engine: {}", line);
    else
      spdlog::debug("engine: {}", line);
  };
  out.member = config.epoch.members[config.self].id;
  out.now_s = wall_us() / 1'000'000;
  for (const auto& ks : config.epoch.keyspaces)
    out.keyspaces[ks.name] = core::to_string(ks.replication);
  return out;
}

uint64_t millis(std::chrono::milliseconds x) {
  return static_cast<uint64_t>(x.count());
}

core::membership_config membership_of(const gossip_section& x) {
  core::membership_config out;
  out.heartbeat_ms = millis(x.heartbeat);
  out.fanout = x.fanout;
  out.accusation_ms = millis(x.accusation);
  out.stalled_ms = millis(x.stalled);
  out.watching.probe_ms = millis(x.probe);
  out.watching.suspect_pause_ms = millis(x.suspect_pause);
  out.watching.accuse_pause_ms = millis(x.accuse_pause);
  out.watching.threshold = x.phi;
  out.watching.pause_ms = 2 * millis(x.heartbeat);
  return out;
}

wiring_options wiring_of(const node_config& config) {
  wiring_options out;
  out.shard.max_siblings = config.limits.siblings;
  out.shard.max_drift_us = micros(config.limits.clock_drift);
  out.replica.max_key_bytes = config.limits.key_bytes;
  out.coordinator.patience_us = micros(config.links.read_patience);
  out.coordinator.digest_above_bytes
    = static_cast<uint32_t>(config.links.digest_above_bytes);
  out.gateway.max_requests = config.limits.inflight_requests;
  out.gateway.max_bytes = config.limits.inflight_mb << 20;
  out.gateway.client_credit = config.limits.client_inflight_requests;
  out.gateway.client_answer_bytes = config.limits.client_answer_mb << 20;
  out.gateway.max_key_bytes = config.limits.key_bytes;
  out.gateway.max_value_bytes = config.limits.value_bytes;
  out.gateway.default_timeout_us = micros(config.limits.default_timeout);
  out.gateway.max_timeout_us = micros(config.limits.max_timeout);
  out.gateway.burst_bytes = size_t{config.links.burst_kb} << 10;
  out.gateway.version = version;
  out.gateway.durability = config.storage.durability == durability_mode::fsync
                             ? "fsync"
                             : "periodic";
  out.link.heartbeat_ms = static_cast<uint64_t>(config.links.heartbeat.count());
  out.link.timeout_ms = static_cast<uint64_t>(config.links.timeout.count());
  out.link.retry_min_ms = static_cast<uint64_t>(config.links.retry_min.count());
  out.link.retry_max_ms = static_cast<uint64_t>(config.links.retry_max.count());
  out.link.max_bytes_under_way = config.links.inflight_mb << 20;
  out.link.max_requests = config.links.inflight_requests;
  out.link.burst_bytes = size_t{config.links.burst_kb} << 10;
  out.gossip.membership = membership_of(config.gossip);
  out.shard.hint_bytes = config.hints.target_mb << 20;
  out.shard.hint_age_ms = static_cast<uint64_t>(
    std::chrono::milliseconds{config.hints.max_age}.count());
  out.coordinator.put_patience_us = micros(config.hints.write_patience);
  out.coordinator.slow_hints_per_s = config.hints.slow_per_s;
  out.hints.bytes_per_s = config.hints.replay_mb_per_s << 20;
  out.hints.busy_bytes_per_s = config.hints.busy_replay_mb_per_s << 20;
  out.repair.interval_ms = static_cast<uint64_t>(
    std::chrono::milliseconds{config.repair.interval}.count());
  out.repair.bytes_per_s = config.repair.mb_per_s << 20;
  out.repair.busy_bytes_per_s = config.repair.busy_mb_per_s << 20;
  out.detached_shards = config.storage.detached_shards;
  std::random_device entropy;
  out.seed = uint64_t{entropy()} << 32 | entropy();
  return out;
}

} // namespace

struct node::impl {
  explicit impl(const node_config& c)
    : config(c), caf_settings(c.runtime.scheduler_threads) {}

  node_config config;
  std::unique_ptr<storage::data_directory> directory;
  caf_config caf_settings;
  std::unique_ptr<caf::actor_system> sys;
  std::shared_ptr<node_context> context;
  local_supervisor_actor supervisor;
  knocker_actor knocker;
  epoch_ptr first_epoch;
  /// Null without TLS.
  network::tls_context_ptr tls;
  std::unique_ptr<network::publication> published;
  /// Children by name, noted as they are started.
  std::mutex children_mutex;
  std::map<std::string, caf::strong_actor_ptr> children;
  bool stopped = false;

  void start_actors(std::function<void(const std::string&)> give_up);
  bool publish(std::string& error);
};

void node::impl::start_actors(std::function<void(const std::string&)> give_up) {
  auto me = config.epoch.members[config.self].id;
  context = make_node_context(
    std::make_shared<const core::cluster_view>(first_epoch),
    first_epoch->find_member(me).value(), config.storage.shards);
  context->seed_hash = core::epoch_hash(config.epoch);
  context->wall_us = wall_us;
  for (auto* budget : {&context->answers, &context->answers_under_way})
    *budget
      = std::make_shared<core::answer_budget>(config.limits.answers_mb << 20);
  context->log = spdlog::default_logger();
  context->run = directory->run();
  context->previous_run = directory->previous_run();
  auto lost = lost_file(config);
  context->disk_lost = std::filesystem::exists(lost);
  if (context->disk_lost)
    spdlog::error("node answers no reads: {} says that its data directory has "
                  "lost data; once the other homes have it all, delete the "
                  "file and start again",
                  lost);
  context->on_disk_lost = [lost](const std::string& why) {
    std::ofstream{lost} << why << std::endl;
  };
  auto options = wiring_of(config);
  options.shard.engine = &directory->engine();
  options.flusher.engine = &directory->engine();
  options.flusher.flushed = [this](const std::vector<uint64_t>& sequences) {
    directory->note_flushed(sequences, steady_ms());
  };
  options.connector = [this](core::member_index) {
    network::dialer_config dialing;
    dialing.tls = tls;
    return network::spawn_dialer(*sys, dialing);
  };
  knocker = network::spawn_knocker(*sys, knock_patience);
  options.knocker = knocker;
  supervisor_config tree;
  tree.children = wire_node(*sys, context, options);
  auto note = [this](child_spec& spec) {
    spec.start = [this, name = spec.name,
                  start = std::move(spec.start)](const auto& earlier) {
      auto child = start(earlier);
      std::lock_guard<std::mutex> guard{children_mutex};
      children[name] = child;
      return child;
    };
  };
  for (auto& spec : tree.children)
    note(spec);
  tree.make_link
    = [note, make = link_maker(*sys, context, options)](auto peer) {
        auto spec = make(peer);
        note(spec);
        return spec;
      };
  tree.restarts = config.supervisor.restarts;
  tree.window_ms = static_cast<uint64_t>(
    std::chrono::milliseconds{config.supervisor.window}.count());
  tree.drain_timeout = config.limits.drain_timeout;
  tree.give_up = std::move(give_up);
  supervisor = sys->spawn(covey::supervisor, tree, node_context_ptr{context});
}

bool node::impl::publish(std::string& error) {
  const auto& at = config.node;
  network::middleman_config doors;
  doors.tls = tls;
  // Far more than what sessions and links let wait: this is for those who send
  // single requests and take no answers.
  doors.max_unsent_bytes
    = (2 * config.limits.answers_mb + config.links.inflight_mb) << 20;
  doors.warn = [](const std::string& what) {
    spdlog::warn("node: {}", what);
  };
  published = std::make_unique<network::publication>(
    *sys, std::move(doors), caf::actor_cast<supervisor_actor>(supervisor));
  if (published->open(at.address, at.port) != 0)
    return true;
  error = "cannot listen at " + at.address + ":" + std::to_string(at.port)
          + ": the address is in use or not of this machine; stop the other "
            "process or change node.port";
  return false;
}

node::node(std::unique_ptr<impl> x) : impl_(std::move(x)) {}

node::~node() {
  stop();
}

std::unique_ptr<node>
node::start(const node_config& config,
            std::function<void(const std::string& why)> give_up,
            std::string& error) {
  // Bytes from outside that do not parse are ours to report, not Protobuf's.
  google::protobuf::SetLogHandler(nullptr);
  auto files = tls_files_of(config.security);
  if (files.any())
    error = network::check(files, network::tls_role::node);
  if (!error.empty())
    return nullptr;
  auto x = std::make_unique<impl>(config);
  x->tls = network::make_tls_context(
    files, network::tls_role::node, [](const std::string& problem) {
      spdlog::error("node goes on with the certificates it has: {}", problem);
    });
  x->directory
    = storage::data_directory::open(directory_options_of(config), error);
  if (!x->directory)
    return nullptr;
  x->first_epoch = stored_epoch(x->directory->engine(), config, error);
  if (!x->first_epoch) {
    x->directory->close();
    return nullptr;
  }
  x->sys = std::make_unique<caf::actor_system>(x->caf_settings);
  x->start_actors(std::move(give_up));
  auto published = x->publish(error);
  std::unique_ptr<node> result{new node{std::move(x)}};
  if (!published) {
    result->stop();
    return nullptr;
  }
  return result;
}

bool node::stop() {
  auto& x = *impl_;
  if (x.stopped)
    return true;
  x.stopped = true;
  auto clean = false;
  {
    caf::scoped_actor self{*x.sys};
    auto patience = x.config.limits.drain_timeout * 3;
    self->request(x.supervisor, caf::timespan{patience}, drain_atom::value)
      .receive(
        [&](bool all_clean) {
          clean = all_clean;
        },
        [&](const caf::error&) {
          spdlog::warn("node: the actors did not stop in time");
        });
    x.published.reset();
    std::lock_guard<std::mutex> guard{x.children_mutex};
    for (auto& [name, child] : x.children) {
      auto actor = caf::actor_cast<caf::actor>(child);
      self->send_exit(actor, caf::exit_reason::user_shutdown);
      self->wait_for(actor);
    }
    x.children.clear();
    self->send_exit(x.supervisor, caf::exit_reason::user_shutdown);
    self->wait_for(x.supervisor);
    self->send_exit(x.knocker, caf::exit_reason::user_shutdown);
    self->wait_for(x.knocker);
    x.knocker = knocker_actor{};
  }
  x.supervisor = local_supervisor_actor{};
  x.context.reset();
  x.sys.reset();
  // Every actor that held a session of the engine is gone by now.
  x.directory->close();
  return clean;
}

local_supervisor_actor node::supervisor() const {
  return impl_->supervisor;
}

uint64_t node::run() const {
  return impl_->directory->run();
}

caf::strong_actor_ptr node::child(const std::string& name) const {
  std::lock_guard<std::mutex> guard{impl_->children_mutex};
  auto i = impl_->children.find(name);
  return i != impl_->children.end() ? i->second : nullptr;
}

} // namespace covey::runtime
