#include "tests/chaos/load.hpp"

#include <algorithm>
#include <thread>

namespace covey::chaos {

namespace {

constexpr uint32_t put_percent = 50;
constexpr uint32_t delete_percent = 6;
constexpr uint32_t context_percent = 70;
/// Gets of keys that are not written any more.
constexpr uint32_t old_key_percent = 10;
/// Sent in one go when the load was held up itself.
constexpr uint64_t most_at_once = 50;
constexpr uint32_t reads_at_once = 64;

constexpr auto quorum = core::consistency_level::quorum;
constexpr auto all = core::consistency_level::all;

} // namespace

load::load(load_config config)
  : config_(std::move(config)), start_(std::chrono::steady_clock::now()),
    random_(config_.seed), generations_(config_.keys) {
  auto nodes = config_.nodes;
  for (uint32_t i = 0; i < config_.clients; ++i) {
    client::settings s;
    // Spread over the nodes.
    std::rotate(nodes.begin(), nodes.begin() + 1, nodes.end());
    s.nodes = nodes;
    s.retries = i % 2 == 0 && !config_.all_retry ? 0 : s.retries;
    auto& c = *clients_.emplace_back(std::make_unique<one_client>());
    c.handle = std::make_unique<client::client>(s);
  }
}

load::~load() {
  // Answers what is in flight while all that callbacks use is there.
  for (auto& c : clients_)
    c->handle.reset();
}

uint64_t load::now_us() const {
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start_)
      .count());
}

bool load::chance(uint32_t percent) {
  return random_() % 100 < percent;
}

void load::send_due() {
  auto due = now_us() * config_.rate / 1'000'000;
  if (due > sent_ + most_at_once)
    sent_ = due - most_at_once;
  for (; sent_ < due; ++sent_)
    send(*clients_[random_() % clients_.size()]);
}

std::string load::pick_key(bool for_get) {
  if (for_get && !left_keys_.empty() && chance(old_key_percent)) {
    auto& key = left_keys_[random_() % left_keys_.size()];
    if (log_.events(key) < size_t{2} * config_.key_events)
      return key;
  }
  auto i = random_() % generations_.size();
  auto name = [&] {
    return "chaos-" + std::to_string(i) + "-" + std::to_string(generations_[i]);
  };
  if (log_.events(name()) >= config_.key_events) {
    left_keys_.push_back(name());
    ++generations_[i];
  }
  return name();
}

void load::send(one_client& c) {
  if (!chance(put_percent))
    get(c, pick_key(true));
  else
    put(c, pick_key(false), chance(delete_percent));
}

void load::put(one_client& c, const std::string& key, bool remove) {
  simulation::put_event event;
  event.key = key;
  event.value = "v" + std::to_string(++writes_);
  event.tombstone = remove;
  client::request_options how;
  how.timeout = config_.timeout;
  if (chance(context_percent)) {
    std::lock_guard<std::mutex> guard{c.mutex};
    auto& mine = c.known_keys[key];
    event.replaces = mine.values;
    how.context = mine.context;
  }
  event.invoked_us = now_us();
  auto replaces = event.replaces;
  auto value = event.value;
  auto sent_us = event.invoked_us;
  auto number = log_.begin_put(std::move(event));
  ++open_;
  seconds_.sent(sent_us);
  auto done = [this, &c, key, number, remove, sent_us,
               replaces = std::move(replaces)](client::result&& r) mutable {
    auto now = now_us();
    log_.end_put(key, number, r, now);
    seconds_.answered(sent_us, now, r);
    if (r.ok()) {
      if (!remove)
        replaces.insert(number);
      std::lock_guard<std::mutex> guard{c.mutex};
      c.known_keys[key] = {std::move(r.context), std::move(replaces)};
    }
    --open_;
  };
  if (remove)
    c.handle->remove(key, how, std::move(done));
  else
    c.handle->put(key, std::move(value), how, std::move(done));
}

void load::get(one_client& c, const std::string& key) {
  client::request_options how;
  how.level = {quorum, 0};
  how.timeout = config_.timeout;
  auto sent_us = now_us();
  ++open_;
  seconds_.sent(sent_us);
  c.handle->get(key, how, [this, &c, key, sent_us](client::result&& r) {
    auto now = now_us();
    seconds_.answered(sent_us, now, r);
    if (r.ok()) {
      auto values = log_.find(key, r.values);
      log_.add_get({key, std::move(r.values), sent_us, now});
      std::lock_guard<std::mutex> guard{c.mutex};
      c.known_keys[key] = {std::move(r.context), std::move(values)};
    }
    --open_;
  });
}

void load::settle() {
  while (open_ > 0)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
}

std::vector<std::string> load::read_once(const std::vector<std::string>& keys) {
  std::mutex mutex;
  std::vector<std::string> unread;
  client::request_options how;
  how.level = {all, 0};
  how.timeout = config_.timeout;
  for (size_t i = 0; i < keys.size(); ++i) {
    while (open_ >= reads_at_once)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    ++open_;
    const auto& key = keys[i];
    auto& c = *clients_[i % clients_.size()];
    auto sent_us = now_us();
    c.handle->get(key, how, [&, key, sent_us](client::result&& r) {
      if (r.ok()) {
        log_.add_get({key, std::move(r.values), sent_us, now_us()});
      } else {
        std::lock_guard<std::mutex> guard{mutex};
        unread.push_back(key);
      }
      --open_;
    });
  }
  settle();
  return unread;
}

std::vector<std::string> load::read_all(std::chrono::seconds patience) {
  auto until = std::chrono::steady_clock::now() + patience;
  auto in_time = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    return std::chrono::steady_clock::now() < until;
  };
  std::vector<std::string> errors;
  auto unread = read_once(log_.keys());
  while (!unread.empty() && in_time())
    unread = read_once(unread);
  for (const auto& key : unread)
    errors.push_back(key + " cannot be read at ALL when all nodes are back");
  auto parked = log_.parked_keys();
  while (!parked.empty()) {
    log_.expect_parked(now_us());
    unread = read_once(parked);
    auto shown = [this](const std::string& key) {
      return log_.check(key).empty();
    };
    // A key that could not be read has shown nothing.
    if (unread.empty() && std::all_of(parked.begin(), parked.end(), shown))
      break;
    if (!in_time()) {
      for (const auto& key : unread)
        errors.push_back(key + " cannot be read at ALL after the hand-over");
      break;
    }
  }
  return errors;
}

} // namespace covey::chaos
