#include "tests/runtime/cluster_fixture.hpp"

#include "messages/handles.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <arpa/inet.h>
#include <chrono>
#include <condition_variable>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace covey::test {

namespace {

uint16_t free_port() {
  auto fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, raw, size) != 0 || ::getsockname(fd, raw, &size) != 0)
    std::abort();
  ::close(fd);
  return ntohs(address.sin_port);
}

client::request_options at_quorum() {
  client::request_options result;
  result.level.level = core::consistency_level::quorum;
  result.timeout = std::chrono::seconds(20);
  return result;
}

} // namespace

bool eventually(const std::function<bool()>& done, int seconds) {
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock<std::mutex> guard{mutex};
  while (!done()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    never.wait_for(guard, std::chrono::milliseconds(2));
  }
  return true;
}

cluster::cluster() {
  // Crashes on purpose need not be read about.
  spdlog::set_level(spdlog::level::off);
  auto pattern
    = (std::filesystem::temp_directory_path() / "covey-nodes-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    std::abort();
  directory_ = pattern;
  for (auto& port : ports_)
    port = free_port();
  for (size_t i = 0; i < 3; ++i)
    start(i);
}

cluster::~cluster() {
  for (size_t i = 0; i < 3; ++i)
    stop(i);
  std::filesystem::remove_all(directory_);
}

void cluster::start(size_t i) {
  auto name = "n" + std::to_string(i + 1);
  runtime::node_config config;
  config.epoch.id = {1, 1};
  config.epoch.cluster = "test";
  for (size_t n = 0; n < 3; ++n) {
    core::member m;
    m.name = "n" + std::to_string(n + 1);
    m.id = core::initial_member_id("test", m.name);
    m.host = "127.0.0.1";
    m.port = ports_[n];
    m.rack = "r1";
    m.data_centre = "dc1";
    config.epoch.members.push_back(m);
  }
  core::keyspace ks;
  ks.name = "default";
  ks.replication.total = 3;
  config.epoch.keyspaces.push_back(ks);
  config.self = static_cast<core::member_index>(i);
  config.node.name = name;
  config.node.port = ports_[i];
  config.node.data_directory = (directory_ / name).string();
  config.storage.cache_mb = 32;
  config.storage.min_free_mb = 16;
  config.supervisor.restarts = 100;
  std::string error;
  nodes_[i] = runtime::node::start(
    config,
    [this, i](const std::string& why) {
      std::lock_guard<std::mutex> guard{mutex_};
      reasons_[i] = why;
    },
    error);
  if (!nodes_[i]) {
    std::fprintf(stderr, "%s\n", error.c_str());
    std::abort();
  }
}

void cluster::stop(size_t i) {
  nodes_[i].reset();
  std::lock_guard<std::mutex> guard{mutex_};
  reasons_[i].clear();
}

std::string cluster::gave_up(size_t i) {
  std::lock_guard<std::mutex> guard{mutex_};
  return reasons_[i];
}

std::unique_ptr<client::client> cluster::make_client() const {
  client::settings settings;
  for (auto port : ports_)
    settings.nodes.push_back({"127.0.0.1", port});
  settings.retries = 10;
  return std::make_unique<client::client>(settings);
}

uint32_t cluster::restarts(size_t i, const std::string& name) {
  uint32_t result = 0;
  auto supervisor = nodes_[i]->supervisor();
  caf::scoped_actor self{supervisor->home_system()};
  self->request(supervisor, std::chrono::seconds(10), children_atom::value)
    .receive(
      [&](const wire::Children& children) {
        for (const auto& child : children.children())
          if (child.name() == name)
            result = child.restarts();
      },
      [](const caf::error&) {});
  return result;
}

load::load(client::client& to, size_t in_flight) : client_(to) {
  flying_ = in_flight;
  for (size_t i = 0; i < in_flight; ++i)
    next();
}

load::~load() {
  stop();
}

void load::next() {
  if (stopping_) {
    --flying_;
    return;
  }
  auto key = "key-" + std::to_string(issued_++);
  client_.put(key, "value of " + key, at_quorum(),
              [this, key](client::result&& r) {
                if (r.ok()) {
                  std::lock_guard<std::mutex> guard{mutex_};
                  acked_.insert(key);
                }
                next();
              });
}

size_t load::acknowledged() {
  std::lock_guard<std::mutex> guard{mutex_};
  return acked_.size();
}

bool load::progress(size_t n) {
  auto wanted = acknowledged() + n;
  return eventually(
    [&] {
      return acknowledged() >= wanted;
    },
    60);
}

void load::stop() {
  stopping_ = true;
  eventually(
    [&] {
      return flying_ == 0;
    },
    60);
}

std::vector<std::string> load::lost() {
  std::vector<std::string> result;
  for (const auto& key : acked_) {
    auto r = client_.get(key, at_quorum());
    if (!r.ok() || r.values.size() != 1 || r.values[0] != "value of " + key)
      result.push_back(key);
  }
  return result;
}

} // namespace covey::test
