// CAF's middleman actor over our own connections.

#pragma once

#include "messages/network/tls_context.hpp"

#include <caf/io/middleman_actor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace covey::network {

/// What TLS said about the last connection that was lost. Thread-safe.
class loss_note {
public:
  void set(const std::string& text) {
    std::lock_guard<std::mutex> guard{mutex_};
    text_ = text;
  }

  std::string text() const {
    std::lock_guard<std::mutex> guard{mutex_};
    return text_;
  }

private:
  mutable std::mutex mutex_;
  std::string text_;
};

struct middleman_config {
  /// Null: plain connections.
  tls_context_ptr tls;
  /// For each address of a name.
  std::chrono::milliseconds connect_patience{2000};
  /// Null, or where to note why connections that were dialled are lost.
  std::shared_ptr<loss_note> note;
  /// A connection that was accepted ends when more bytes wait to be sent.
  uint64_t max_unsent_bytes = UINT64_MAX;
  /// Told one line about connections that a port ends or does not take, at most
  /// once a minute for each reason.
  std::function<void(const std::string&)> warn;
};

/// Strangers who may be in the middle of a TLS handshake with one port at once.
/// One more, and the oldest of them is cut off.
inline constexpr size_t max_handshakes = 256;

/// Takes CAF's connect and publish messages. It blocks while it connects, in a
/// thread of its own: one for each peer, so that an address that swallows
/// packets delays nobody else. Ends by `exit_reason::kill` only.
caf::io::middleman_actor spawn_middleman(caf::actor_system& sys,
                                         middleman_config config);

} // namespace covey::network
