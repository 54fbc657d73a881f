// Many clients with more to ask than a cluster can do: what comes back, as one
// line of JSON. Driven by bench/storm.py and tests/process/overload_test.py.

#include "client/client.hpp"
#include "messages/errors.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;

struct options {
  std::vector<std::string> nodes;
  uint32_t clients = 1;
  uint32_t window = 1;
  uint32_t rate = 0;
  uint32_t loud = 0;
  double seconds = 5;
  uint32_t reads = 50;
  uint32_t keys = 10'000;
  uint32_t value_bytes = 100;
  uint32_t timeout_ms = 5'000;
  std::string keyspace = "default";
  bool fill = false;
  bool hold_back = false;
};

/// What came back, counted by code.
class tally {
public:
  /// Of what comes back later is not said that it was served per second.
  void end_at(steady::time_point end) {
    end_ = end;
  }
  void count(const covey::client::result& r, steady::time_point sent) {
    auto first = ++codes_[static_cast<uint8_t>(r.code)] == 1;
    if (!r.ok()) {
      std::lock_guard<std::mutex> guard{mutex_};
      if (first)
        errors_[covey::to_string(r.code)] = r.text;
      return;
    }
    auto now = steady::now();
    auto us = std::chrono::duration_cast<std::chrono::microseconds>(now - sent);
    std::lock_guard<std::mutex> guard{mutex_};
    in_time_ += now <= end_ ? 1 : 0;
    latencies_us_.push_back(static_cast<uint32_t>(us.count()));
  }
  /// The load took `load` seconds, and with the last answer `seconds`.
  nlohmann::json report(double load, double seconds) {
    std::lock_guard<std::mutex> guard{mutex_};
    nlohmann::json out;
    uint64_t all = 0;
    for (size_t i = 0; i < codes_.size(); ++i) {
      if (codes_[i] == 0)
        continue;
      auto code = static_cast<covey::errc>(i);
      out[i == 0 ? "ok" : covey::to_string(code)] = codes_[i].load();
      all += codes_[i];
    }
    std::sort(latencies_us_.begin(), latencies_us_.end());
    auto at = [&](double q) {
      if (latencies_us_.empty())
        return 0.0;
      auto i = static_cast<size_t>(
        q * static_cast<double>(latencies_us_.size() - 1));
      return latencies_us_[i] / 1000.0;
    };
    out["first_errors"] = errors_;
    out["seconds"] = seconds;
    out["answered_per_s"] = static_cast<double>(all) / seconds;
    out["ok_per_s"] = static_cast<double>(in_time_) / load;
    out["p50_ms"] = at(0.5);
    out["p99_ms"] = at(0.99);
    return out;
  }

private:
  std::array<std::atomic<uint64_t>, 256> codes_{};
  std::mutex mutex_;
  std::vector<uint32_t> latencies_us_;
  steady::time_point end_ = steady::time_point::max();
  uint64_t in_time_ = 0;
  /// The first text of each code.
  std::map<std::string, std::string> errors_;
};

class storm {
public:
  explicit storm(const options& o) : options_(o), value_(o.value_bytes, 'v') {
    covey::client::settings settings;
    for (const auto& text : o.nodes) {
      auto colon = text.rfind(':');
      settings.nodes.push_back(
        {text.substr(0, colon),
         static_cast<uint16_t>(std::stoul(text.substr(colon + 1)))});
    }
    settings.retries = 0;
    settings.hold_back = o.hold_back;
    // What these nodes do is measured, not what the client makes of it.
    settings.by_slot = false;
    how_.keyspace = o.keyspace;
    how_.timeout = std::chrono::milliseconds{o.timeout_ms};
    for (uint32_t i = 0; i < o.clients; ++i) {
      // Spread over the nodes.
      std::rotate(settings.nodes.begin(), settings.nodes.begin() + 1,
                  settings.nodes.end());
      clients_.push_back(std::make_unique<covey::client::client>(settings));
    }
  }

  /// Every key once, some at a time; false if one was not written.
  bool fill() {
    std::atomic<uint32_t> open{0};
    std::atomic<uint32_t> failed{0};
    for (uint32_t i = 0; i < options_.keys; ++i) {
      while (open >= 32)
        std::this_thread::yield();
      ++open;
      clients_[i % clients_.size()]->put(key(i), value_, how_, [&](auto&& r) {
        failed += r.ok() ? 0 : 1;
        --open;
      });
    }
    while (open > 0)
      std::this_thread::yield();
    return failed == 0;
  }

  /// Lets every client meet its node first.
  void connect() {
    std::atomic<uint32_t> open{options_.clients};
    for (auto& c : clients_)
      c->get(key(0), how_, [&](auto&&) {
        --open;
      });
    while (open > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }

  nlohmann::json run() {
    auto begin = steady::now();
    end_ = begin
           + std::chrono::microseconds{
             static_cast<int64_t>(options_.seconds * 1e6)};
    tally_.end_at(end_);
    if (options_.rate > 0)
      at_rate(begin);
    else
      in_windows();
    auto result = tally_.report(
      options_.seconds, std::chrono::duration<double>(last_ - begin).count());
    result["clients"] = options_.clients;
    return result;
  }

private:
  static std::string key(uint32_t i) {
    return "storm-" + std::to_string(i);
  }

  /// Each client keeps so many requests in flight.
  void in_windows() {
    for (auto& c : clients_)
      for (uint32_t i = 0; i < options_.window; ++i)
        ask(*c, true);
    settle();
  }

  /// So many requests a second, whatever comes back.
  void at_rate(steady::time_point begin) {
    uint64_t sent = 0;
    while (steady::now() < end_) {
      auto due = static_cast<uint64_t>(
        std::chrono::duration<double>(steady::now() - begin).count()
        * options_.rate);
      for (; sent < due; ++sent)
        ask(*clients_[whose(sent)], false);
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    settle();
  }

  /// Who sends request `i`: each in turn, or one in twenty the quiet ones.
  size_t whose(uint64_t i) const {
    auto quiet = clients_.size() - options_.loud;
    if (options_.loud == 0 || quiet == 0)
      return i % clients_.size();
    return i % 20 == 0 ? options_.loud + i / 20 % quiet : i % options_.loud;
  }

  void settle() {
    while (open_ > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    last_ = std::max(steady::now(), end_);
  }

  void ask(covey::client::client& c, bool again) {
    static thread_local std::mt19937 random{std::random_device{}()};
    ++open_;
    auto sent = steady::now();
    auto done = [this, &c, again, sent](covey::client::result&& r) {
      tally_.count(r, sent);
      if (again && steady::now() < end_)
        ask(c, true);
      --open_;
    };
    auto k = key(random() % options_.keys);
    if (random() % 100 < options_.reads)
      c.get(std::move(k), how_, std::move(done));
    else
      c.put(std::move(k), value_, how_, std::move(done));
  }

  options options_;
  std::string value_;
  covey::client::request_options how_;
  std::vector<std::unique_ptr<covey::client::client>> clients_;
  tally tally_;
  std::atomic<uint64_t> open_{0};
  steady::time_point end_;
  steady::time_point last_;
};

} // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app{"Offers a cluster more than it can do and counts the answers."};
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--nodes", o.nodes, "HOST:PORT,...")
    ->delimiter(',')
    ->multi_option_policy(CLI::MultiOptionPolicy::Throw)
    ->required();
  app.add_option("--clients", o.clients, "connections");
  app.add_option("--window", o.window, "requests in flight per client");
  app.add_option("--rate", o.rate, "requests a second in all; 0: windows");
  app.add_option("--loud", o.loud,
                 "clients that send 19 of 20 requests, with --rate; 0: all "
                 "send the same");
  app.add_option("--seconds", o.seconds, "how long");
  app.add_option("--reads", o.reads, "gets among the requests, percent");
  app.add_option("--keys", o.keys, "keys asked for");
  app.add_option("--value-bytes", o.value_bytes, "size of a value");
  app.add_option("--timeout-ms", o.timeout_ms, "deadline of a request");
  app.add_option("--keyspace", o.keyspace, "of the keys");
  app.add_flag("--hold-back", o.hold_back,
               "as clients do unless told otherwise: refuse at the client what "
               "an overloaded node would refuse");
  app.add_flag("--fill", o.fill, "writes every key once, and nothing else");
  CLI11_PARSE(app, argc, argv);
  o.loud = std::min(o.loud, o.clients);
  storm s{o};
  if (o.fill)
    return s.fill() ? 0 : 1;
  s.connect();
  // The driver starts its clock when all processes are connected.
  std::cout << "ready" << std::endl;
  std::string go;
  std::getline(std::cin, go);
  std::cout << s.run() << std::endl;
}
