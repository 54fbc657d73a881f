#include "client/client_impl.hpp"
#include "client/dialer.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <stdexcept>

namespace covey::client {

namespace {

/// So that no deadline overflows.
constexpr auto longest_timeout
  = std::chrono::milliseconds{std::chrono::hours{24}};

/// What has expired already lives no longer than a value can.
uint64_t ttl_ms(std::chrono::milliseconds x) {
  return x.count() < 0 ? 1 : static_cast<uint64_t>(x.count());
}

std::mt19937_64 seeded_rng() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(),
                     device(), device(), device(), device()};
  return std::mt19937_64{seed};
}

wire::PutRequest put_request(std::string&& key,
                             const request_options& options) {
  wire::PutRequest request;
  request.set_keyspace(options.keyspace);
  request.set_key(std::move(key));
  request.set_context(options.context);
  request.set_level(static_cast<uint32_t>(options.level.level));
  request.set_level_count(options.level.count);
  request.set_quorum(static_cast<uint32_t>(options.quorum));
  request.set_ttl_ms(ttl_ms(options.time_to_live));
  return request;
}

result to_result(outcome& o) {
  result r;
  r.code = o.code;
  r.text = std::move(o.text);
  r.maybe_written = o.maybe_written;
  if (auto* put = std::get_if<wire::PutReply>(&o.reply)) {
    r.acked = put->acked();
    r.needed = put->needed();
    r.homes = put->homes();
    r.context = std::move(*put->mutable_context());
  } else if (auto* get = std::get_if<wire::GetReply>(&o.reply)) {
    r.acked = get->answered();
    r.needed = get->needed();
    r.context = std::move(*get->mutable_context());
    r.values.reserve(static_cast<size_t>(get->values_size()));
    for (auto& value : *get->mutable_values())
      r.values.push_back(std::move(value));
  }
  return r;
}

template <class Reply>
Reply to_reply(outcome& o) {
  Reply reply;
  if (auto* found = std::get_if<Reply>(&o.reply))
    reply = std::move(*found);
  reply.set_code(static_cast<uint32_t>(o.code));
  reply.set_text(o.text);
  return reply;
}

} // namespace

client::impl::impl(settings given)
  : options(std::move(given)), rng(seeded_rng()), system(borrow_system()) {
  router_config config;
  config.nodes = options.nodes;
  config.by_slot = options.by_slot;
  config.hold_back = options.hold_back;
  config.hedge_after = options.hedge_after;
  config.data_centre = options.data_centre;
  config.agent = options.agent;
  config.seed = rng();
  connector = spawn_dialer(*system, options.tls);
  router = system->spawn(covey::client::router, std::move(config), connector);
}

client::impl::~impl() {
  caf::anon_send_exit(connector, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(router, caf::exit_reason::user_shutdown);
  // Answers what is in flight: no callback runs after this.
  caf::scoped_actor self{*system};
  self->wait_for(router);
}

void client::impl::submit(request_body&& request, const request_options& how,
                          std::function<void(outcome&)> done) {
  call c;
  c.request = std::move(request);
  // A change of the epoch carries no id that would make it safe to repeat.
  auto repeats = !std::holds_alternative<wire::KeyspaceRequest>(c.request);
  c.deadline
    = system->clock().now()
      + std::clamp(how.timeout, std::chrono::milliseconds{0}, longest_timeout);
  c.retries = repeats ? options.retries : 0;
  c.done = std::move(done);
  caf::anon_send(router, std::move(c));
}

void client::impl::write(wire::PutRequest&& request, const request_options& how,
                         callback done) {
  auto id = how.request ? how.request : new_request_id();
  request.set_request_high(id.high);
  request.set_request_low(id.low);
  submit(std::move(request), how, [done = std::move(done)](outcome& o) {
    done(to_result(o));
  });
}

core::request_id client::impl::new_request_id() {
  std::lock_guard<std::mutex> guard{rng_mutex};
  auto high = rng();
  return {high, rng()};
}

client::client(settings config) {
  if (config.nodes.empty())
    throw std::invalid_argument{"a client needs a node to begin with"};
  impl_ = std::make_unique<impl>(std::move(config));
}

client::~client() = default;

core::request_id client::new_request_id() {
  return impl_->new_request_id();
}

void client::put(std::string key, std::string value,
                 const request_options& options, callback done) {
  auto request = put_request(std::move(key), options);
  request.set_value(std::move(value));
  impl_->write(std::move(request), options, std::move(done));
}

void client::remove(std::string key, const request_options& options,
                    callback done) {
  auto request = put_request(std::move(key), options);
  request.set_tombstone(true);
  impl_->write(std::move(request), options, std::move(done));
}

void client::impl::read(std::string&& key, const request_options& how,
                        callback done) {
  wire::GetRequest request;
  request.set_keyspace(how.keyspace);
  request.set_key(std::move(key));
  request.set_level(static_cast<uint32_t>(how.level.level));
  request.set_level_count(how.level.count);
  submit(std::move(request), how, [done = std::move(done)](outcome& o) {
    done(to_result(o));
  });
}

void resolve_siblings(result& r, const resolver& resolve) {
  if (!resolve || r.values.size() < 2)
    return;
  auto merged = resolve(std::move(r.values));
  r.values.clear();
  r.values.push_back(std::move(merged));
}

void client::get(std::string key, const request_options& options,
                 callback done) {
  impl_->read(std::move(key), options,
              [resolve = options.resolve, done = std::move(done)](result&& r) {
                resolve_siblings(r, resolve);
                done(std::move(r));
              });
}

result client::put(std::string key, std::string value,
                   const request_options& options) {
  waiter<result> w;
  put(std::move(key), std::move(value), options, w.done());
  return w.wait();
}

result client::remove(std::string key, const request_options& options) {
  waiter<result> w;
  remove(std::move(key), options, w.done());
  return w.wait();
}

result client::get(std::string key, const request_options& options) {
  waiter<result> w;
  impl_->read(std::move(key), options, w.done());
  auto r = w.wait();
  resolve_siblings(r, options.resolve);
  return r;
}

wire::StatusReply client::status(const request_options& options) {
  waiter<wire::StatusReply> w;
  impl_->submit(wire::StatusRequest{}, options, [done = w.done()](outcome& o) {
    done(to_reply<wire::StatusReply>(o));
  });
  return w.wait();
}

wire::KeyspaceReply client::change_keyspace(wire::KeyspaceRequest request,
                                            const request_options& options) {
  waiter<wire::KeyspaceReply> w;
  impl_->submit(std::move(request), options, [done = w.done()](outcome& o) {
    done(to_reply<wire::KeyspaceReply>(o));
  });
  return w.wait();
}

wire::RepairReply client::repair(const wire::RepairRequest& request,
                                 const request_options& options) {
  waiter<wire::RepairReply> w;
  impl_->submit(wire::RepairRequest{request}, options,
                [done = w.done()](outcome& o) {
                  done(to_reply<wire::RepairReply>(o));
                });
  return w.wait();
}

wire::RingReply client::ring(std::string key, const request_options& options) {
  wire::RingRequest request;
  request.set_keyspace(options.keyspace);
  request.set_key(std::move(key));
  waiter<wire::RingReply> w;
  impl_->submit(std::move(request), options, [done = w.done()](outcome& o) {
    done(to_reply<wire::RingReply>(o));
  });
  return w.wait();
}

} // namespace covey::client
