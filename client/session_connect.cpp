// Connecting, greeting, losing and leaving a node.

#include "client/back_off.hpp"
#include "client/session.hpp"

#include <algorithm>

namespace covey::client {

namespace {

std::string reason_of(const caf::error& err) {
  if (err == caf::sec::request_timeout)
    return "no connection in time";
  // The dialer says why in a sentence.
  if (err.context().match_elements<std::string>())
    return err.context().get_as<std::string>(0);
  return to_string(err);
}

} // namespace

session_state::time_point session_state::now() const {
  return self_->clock().now();
}

const node_address& session_state::node() const {
  return config_.nodes[node_index_];
}

void session_state::start(session_config config, connector_actor connector) {
  config_ = std::move(config);
  connector_ = std::move(connector);
  rng_.seed(config_.seed);
  reasons_.resize(config_.nodes.size());
  connect();
}

void session_state::connect() {
  phase_ = phase::dialing;
  auto attempt = ++attempt_;
  self_
    ->request(connector_, config_.dial_timeout, dial_atom::value, node().host,
              node().port)
    .then(
      [this, attempt](const supervisor_actor& supervisor) {
        if (attempt == attempt_)
          greet(supervisor);
      },
      [this, attempt](const caf::error& err) {
        if (attempt == attempt_)
          failed(reason_of(err));
      });
}

void session_state::greet(const supervisor_actor& supervisor) {
  if (!supervisor) {
    failed("nothing of covey's is published there");
    return;
  }
  phase_ = phase::greeting;
  supervisor_ = supervisor;
  hello_sent_ = now();
  wire::ClientHello hello;
  hello.set_protocol(protocol_version);
  hello.set_agent(config_.agent);
  self_->send(supervisor_, std::move(hello));
  arm();
}

void session_state::on_welcome(const wire::ClientWelcome& welcome) {
  // The node has ended the session.
  if (phase_ == phase::up && welcome.code() != 0
      && self_->current_sender() != nullptr
      && gateway_.address() == self_->current_sender()->address()) {
    lose(welcome.text());
    return;
  }
  // A welcome that comes too late may be from a node that we gave up.
  if (phase_ != phase::greeting || self_->current_sender() == nullptr
      || self_->current_sender()->node() != supervisor_.node())
    return;
  if (welcome.code() != 0) {
    failed(welcome.text());
    return;
  }
  if (welcome.protocol() != protocol_version) {
    failed("speaks version " + std::to_string(welcome.protocol())
           + " of the client protocol, this program speaks version "
           + std::to_string(protocol_version));
    return;
  }
  phase_ = phase::up;
  gateway_ = caf::actor_cast<gateway_actor>(self_->current_sender());
  self_->monitor(gateway_);
  // Our steady clock carries the node's clock on from here: steps of this
  // machine's time of day then do not move deadlines.
  server_us_ = welcome.clock_us();
  server_at_ = hello_sent_ + (now() - hello_sent_) / 2;
  credit_ = std::max<size_t>(1, welcome.credit());
  taken_ = told_ = 0;
  leaving_.clear();
  flush();
}

void session_state::failed(const std::string& reason) {
  disconnect();
  reasons_[node_index_] = reason;
  node_index_ = (node_index_ + 1) % config_.nodes.size();
  ++failures_;
  if (failures_ % config_.nodes.size() != 0) {
    connect();
    return;
  }
  auto round = static_cast<uint32_t>(failures_ / config_.nodes.size() - 1);
  rest_until_
    = now()
      + back_off(round, config_.back_off_least, config_.back_off_most, rng_);
  arm();
}

void session_state::disconnect() {
  ++attempt_;
  phase_ = phase::resting;
  if (gateway_)
    self_->demonitor(gateway_.address());
  gateway_ = nullptr;
  supervisor_ = nullptr;
  leaving_.clear();
}

void session_state::on_down(const caf::down_msg& down) {
  if (gateway_ && down.source == gateway_.address())
    lose("the connection broke");
}

void session_state::lose(const std::string& reason) {
  auto where = to_string(node());
  std::vector<std::pair<uint64_t, call>> lost;
  lost.reserve(in_flight_.size());
  for (auto& [id, c] : in_flight_)
    lost.emplace_back(id, std::move(c));
  in_flight_.clear();
  std::sort(lost.begin(), lost.end(), [](const auto& x, const auto& y) {
    return x.first < y.first;
  });
  failed(reason);
  for (auto& [id, c] : lost) {
    outcome o;
    o.code = errc::connection_lost;
    o.text = where + ": " + reason;
    o.maybe_written = c.is_write();
    settle(std::move(c), std::move(o));
  }
  flush();
}

void session_state::leave() {
  moved_ = now();
  failed("answers: " + std::string{leaving_});
}

std::string session_state::failure_text() const {
  std::string result = "no connection to";
  for (size_t i = 0; i < config_.nodes.size(); ++i) {
    result += i == 0 ? " " : ", ";
    result += to_string(config_.nodes[i]) + " (";
    if (!reasons_[i].empty())
      result += reasons_[i];
    else
      result += i == node_index_ && phase_ != phase::resting ? "no answer yet"
                                                             : "not tried";
    result += ')';
  }
  return result;
}

} // namespace covey::client
