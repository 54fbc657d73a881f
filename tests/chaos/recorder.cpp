#include "tests/chaos/recorder.hpp"

#include "messages/errors.hpp"

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <utility>

namespace covey::chaos {

namespace {

const char* to_string(outcome x) {
  switch (x) {
    case outcome::acknowledged:
      return "acknowledged";
    case outcome::refused:
      return "refused";
    default:
      return "unknown";
  }
}

std::string seconds(uint64_t us) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6f", static_cast<double>(us) / 1e6);
  return text;
}

} // namespace

outcome outcome_of(const client::result& r) {
  if (r.ok())
    return outcome::acknowledged;
  // A disk that failed may have done so after the write.
  if (r.maybe_written || r.code == errc::storage_failed)
    return outcome::unknown;
  return outcome::refused;
}

void recorder::disturbed(bool on) {
  std::lock_guard<std::mutex> guard{mutex_};
  disturbed_ = on;
  if (!on)
    return;
  // What is on its way now may meet the fault.
  for (auto& [key, log] : histories_)
    for (size_t i = 0; i < log.puts().size(); ++i)
      if (log.puts()[i].answered_us == 0)
        log.put(i).repeated = true;
}

size_t recorder::begin_put(simulation::put_event put) {
  std::lock_guard<std::mutex> guard{mutex_};
  put.repeated = disturbed_;
  auto& log = histories_[put.key];
  return log.add(std::move(put));
}

void recorder::end_put(const std::string& key, size_t number,
                       const client::result& r, uint64_t now_us) {
  std::lock_guard<std::mutex> guard{mutex_};
  auto& put = histories_[key].put(number);
  put.answered_us = now_us;
  put.result = outcome_of(r);
  put.repeated = put.repeated || put.result == outcome::unknown
                 || now_us - put.invoked_us > prompt_us;
  if (put.result == outcome::acknowledged && !r.homes) {
    put.result = outcome::unknown;
    parked_[key].insert(number);
  }
}

void recorder::add_get(simulation::get_event get) {
  std::lock_guard<std::mutex> guard{mutex_};
  histories_[get.key].add(std::move(get));
}

std::set<size_t> recorder::find(const std::string& key,
                                const std::vector<std::string>& values) const {
  std::lock_guard<std::mutex> guard{mutex_};
  std::set<size_t> result;
  auto log = histories_.find(key);
  if (log == histories_.end())
    return result;
  for (const auto& value : values)
    if (auto i = log->second.find(value); i < log->second.puts().size())
      result.insert(i);
  return result;
}

size_t recorder::events(const std::string& key) const {
  std::lock_guard<std::mutex> guard{mutex_};
  auto log = histories_.find(key);
  return log == histories_.end()
           ? 0
           : log->second.puts().size() + log->second.gets();
}

std::vector<std::string> recorder::keys() const {
  std::lock_guard<std::mutex> guard{mutex_};
  std::vector<std::string> result;
  for (const auto& entry : histories_)
    result.push_back(entry.first);
  return result;
}

std::vector<std::string> recorder::parked_keys() const {
  std::lock_guard<std::mutex> guard{mutex_};
  std::vector<std::string> result;
  for (const auto& entry : parked_)
    result.push_back(entry.first);
  return result;
}

void recorder::expect_parked(uint64_t now_us) {
  std::lock_guard<std::mutex> guard{mutex_};
  for (const auto& [key, numbers] : parked_)
    for (auto i : numbers) {
      auto& put = histories_[key].put(i);
      put.result = outcome::acknowledged;
      put.answered_us = now_us;
    }
}

recorder::totals recorder::count() const {
  std::lock_guard<std::mutex> guard{mutex_};
  totals result;
  result.keys = histories_.size();
  for (const auto& entry : histories_) {
    result.gets += entry.second.gets();
    for (const auto& put : entry.second.puts()) {
      ++result.puts;
      result.acknowledged += put.result == outcome::acknowledged ? 1 : 0;
      result.refused += put.result == outcome::refused ? 1 : 0;
      result.unknown += put.result == outcome::unknown ? 1 : 0;
      result.once += put.repeated ? 0 : 1;
    }
  }
  return result;
}

std::map<std::string, std::vector<std::string>> recorder::check() const {
  std::map<std::string, std::vector<std::string>> result;
  for (const auto& key : keys())
    if (auto lines = check(key); !lines.empty())
      result[key] = std::move(lines);
  return result;
}

std::vector<std::string> recorder::check(const std::string& key) const {
  std::lock_guard<std::mutex> guard{mutex_};
  auto log = histories_.find(key);
  return log == histories_.end() ? std::vector<std::string>{}
                                 : log->second.check();
}

void recorder::write_history(const std::string& key, std::ostream& out) const {
  std::lock_guard<std::mutex> guard{mutex_};
  auto log = histories_.find(key);
  if (log == histories_.end())
    return;
  std::vector<std::pair<uint64_t, std::string>> lines;
  auto span = [](const auto& x) {
    return seconds(x.invoked_us) + ".."
           + (x.answered_us > 0 ? seconds(x.answered_us) : "") + " s ";
  };
  const auto& puts = log->second.puts();
  for (const auto& put : puts) {
    auto line = span(put) + (put.tombstone ? "delete " : "put ") + put.value
                + " replaces {";
    for (auto i : put.replaces)
      line += " " + puts[i].value;
    line += std::string{" } "} + to_string(put.result)
            + (put.repeated ? ", perhaps repeated" : "");
    lines.emplace_back(put.invoked_us, std::move(line));
  }
  for (const auto& get : log->second.all_gets()) {
    auto line = span(get) + "get {";
    for (const auto& value : get.values)
      line += " " + value;
    lines.emplace_back(get.invoked_us, line + " }");
  }
  std::sort(lines.begin(), lines.end());
  out << "history of " << key << "\n";
  for (const auto& line : lines)
    out << "  " << line.second << "\n";
}

} // namespace covey::chaos
