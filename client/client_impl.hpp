// What is behind covey::client::client; not for its users.

#pragma once

#include "client/actor_systems.hpp"
#include "client/client.hpp"
#include "client/router.hpp"

#include <future>
#include <memory>
#include <mutex>
#include <random>

namespace covey::client {

struct client::impl {
  explicit impl(settings given);
  ~impl();

  void submit(request_body&& request, const request_options& how,
              std::function<void(outcome&)> done);
  /// Gives the write its request id.
  void write(wire::PutRequest&& request, const request_options& how,
             callback done);
  /// A get whose siblings stay as they are.
  void read(std::string&& key, const request_options& how, callback done);
  core::request_id new_request_id();

  settings options;
  std::mutex rng_mutex;
  std::mt19937_64 rng;
  borrowed_system system;
  connector_actor connector;
  router_actor router;
};

/// Makes one value of siblings, if there are any and somebody says how.
void resolve_siblings(result& r, const resolver& resolve);

/// Waits for what an asynchronous request gives its callback.
template <class T>
class waiter {
public:
  std::function<void(T&&)> done() {
    return [promise = promise_](T&& x) {
      promise->set_value(std::move(x));
    };
  }
  T wait() {
    return promise_->get_future().get();
  }

private:
  std::shared_ptr<std::promise<T>> promise_
    = std::make_shared<std::promise<T>>();
};

} // namespace covey::client
