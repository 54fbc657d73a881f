// Builds the epoch of a draft and checks what concerns several knobs.

#include "core/name.hpp"
#include "runtime/config_cluster.hpp"

#include <algorithm>
#include <utility>

namespace covey::runtime {

namespace {

class completion {
public:
  explicit completion(config_draft& draft)
    : draft_(draft), config_(draft.config) {
    // nop
  }

  std::vector<std::string> run() {
    check_names();
    add_members();
    check_address();
    check_security();
    add_keyspaces();
    check_combinations();
    if (epoch_complete_)
      for (auto& line : core::validate(config_.epoch))
        problem(std::move(line));
    return std::move(problems_);
  }

private:
  void problem(std::string line) {
    problems_.push_back(std::move(line));
  }

  /// Reports a problem that leaves the epoch incomplete.
  void epoch_problem(std::string line) {
    epoch_complete_ = false;
    problem(std::move(line));
  }

  void check_name(const std::string& knob, const std::string& value) {
    if (!core::is_name(value))
      epoch_problem(knob + " = " + to_string(value)
                    + " is not a name; use 1 to 64 of A-Z a-z 0-9 . _ -");
  }

  void check_names() {
    check_name("cluster.name", draft_.cluster);
    auto& node = config_.node;
    for (auto& k : schema())
      if (k.required && draft_.given.count(k.section + "." + k.key) == 0)
        epoch_problem(k.section + "." + k.key
                      + " is missing, and has no default: " + k.help);
    if (draft_.given.count("node.name") > 0)
      check_name("node.name", node.name);
    check_name("node.rack", node.rack);
    check_name("node.data-centre", node.data_centre);
    if (draft_.given.count("node.data-directory") > 0
        && node.data_directory.empty())
      problem("node.data-directory = \"\" is empty; name a directory");
  }

  void add_members() {
    auto& epoch = config_.epoch;
    epoch.id = {1, 1};
    epoch.cluster = draft_.cluster;
    for (auto& text : draft_.members) {
      core::member m;
      if (auto what = parse_member(text, m); !what.empty())
        epoch_problem("cluster.members: " + to_string(text) + " " + what);
      else
        epoch.members.push_back(std::move(m));
    }
    auto alone = draft_.members.empty();
    if (alone)
      epoch.members.push_back(this_node());
    for (auto& m : epoch.members)
      m.id = core::initial_member_id(epoch.cluster, m.name);
    std::sort(epoch.members.begin(), epoch.members.end(),
              [](const core::member& x, const core::member& y) {
                return x.name < y.name;
              });
    if (epoch_complete_)
      find_this_node();
  }

  core::member this_node() const {
    auto& node = config_.node;
    core::member result;
    result.name = node.name;
    result.host = node.address;
    result.port = node.port;
    result.rack = node.rack;
    result.data_centre = node.data_centre;
    result.weight = node.weight;
    return result;
  }

  void find_this_node() {
    auto& node = config_.node;
    auto index = config_.epoch.find_member(node.name);
    if (!index) {
      std::string names;
      for (auto& m : config_.epoch.members)
        names += (names.empty() ? "" : ", ") + m.name;
      epoch_problem("node.name = " + to_string(node.name)
                    + " is not in cluster.members, which lists " + names);
      return;
    }
    config_.self = *index;
    auto& m = config_.epoch.members[*index];
    agree("address", node.address, m.host);
    agree("port", node.port, m.port);
    agree("rack", node.rack, m.rack);
    agree("data-centre", node.data_centre, m.data_centre);
    agree("weight", node.weight, m.weight);
  }

  static std::string text_of(const std::string& x) {
    return to_string(x);
  }

  static std::string text_of(uint32_t x) {
    return std::to_string(x);
  }

  /// Takes what the list of members says, unless [node] says otherwise.
  template <class T>
  void agree(const std::string& key, T& own, const T& listed) {
    auto knob = "node." + key;
    if (draft_.given.count(knob) == 0)
      own = listed;
    else if (own != listed)
      problem(knob + " = " + text_of(own) + " disagrees with cluster.members, "
              + "which says " + text_of(listed) + " for " + config_.node.name
              + "; make them the same");
  }

  void check_address() {
    auto& address = config_.node.address;
    if (!is_host(address))
      epoch_problem("node.address = " + to_string(address)
                    + " is not a host name or an IP address");
    else if (address == "0.0.0.0" || address == "::")
      problem("node.address = " + to_string(address)
              + " is every address; name the one that peers and clients use");
    else if (!is_loopback(address) && !config_.security.tls()
             && !config_.security.insecure)
      problem("node.address = " + to_string(address)
              + " is not a loopback address, and without TLS whoever reaches "
                "the port owns the data; set security.certificate, key and "
                "ca-file, or security.insecure = true if you want that");
  }

  void check_security() {
    const auto& x = config_.security;
    if (x.certificate.empty() && x.key.empty() && x.ca_file.empty())
      return;
    for (auto& [name, value] :
         {std::pair{"certificate", &x.certificate}, std::pair{"key", &x.key},
          std::pair{"ca-file", &x.ca_file}})
      if (value->empty())
        problem(std::string{"security."} + name
                + " is missing; TLS takes certificate, key and ca-file");
  }

  void add_keyspaces() {
    auto& keyspaces = draft_.keyspaces;
    if (keyspaces.empty())
      keyspaces["default"];
    auto replicas = std::min(config_.epoch.members.size(), size_t{3});
    for (auto& [name, k] : keyspaces) {
      k.name = name;
      if (k.replication.replicas() == 0)
        k.replication.total = static_cast<uint32_t>(replicas);
      config_.epoch.keyspaces.push_back(k);
    }
  }

  template <class T>
  void check_order(const std::string& low, T x, const std::string& high, T y) {
    if (x > y)
      problem(low + " = " + std::to_string(x) + " is above " + high + " = "
              + std::to_string(y) + "; it must not be");
  }

  void check_combinations() {
    auto& limits = config_.limits;
    auto& links = config_.links;
    check_order("limits.default-timeout-ms", limits.default_timeout.count(),
                "limits.max-timeout-ms", limits.max_timeout.count());
    check_order("limits.client-inflight-requests",
                limits.client_inflight_requests, "limits.inflight-requests",
                limits.inflight_requests);
    check_order("limits.client-answer-mb", limits.client_answer_mb,
                "limits.answers-mb", limits.answers_mb);
    check_order("links.retry-min-ms", links.retry_min.count(),
                "links.retry-max-ms", links.retry_max.count());
    auto& gossip = config_.gossip;
    check_order("gossip.suspect-pause-ms", gossip.suspect_pause.count(),
                "gossip.accuse-pause-ms", gossip.accuse_pause.count());
    check_order("gossip.probe-ms", gossip.probe.count(), "gossip.heartbeat-ms",
                gossip.heartbeat.count());
    if (links.timeout < 2 * links.heartbeat)
      problem("links.timeout-ms = " + std::to_string(links.timeout.count())
              + " is below twice links.heartbeat-ms = "
              + std::to_string(links.heartbeat.count())
              + ", so that healthy peers would count as down; raise it");
    if (auto kb = config_.storage.leaf_page_kb; kb % 4 != 0)
      problem("storage.leaf-page-kb = " + std::to_string(kb)
              + " is not a multiple of 4 (kilobytes)");
  }

  config_draft& draft_;
  node_config& config_;
  bool epoch_complete_ = true;
  std::vector<std::string> problems_;
};

} // namespace

std::vector<std::string> complete(config_draft& draft) {
  return completion{draft}.run();
}

} // namespace covey::runtime
