#include "client/importer.hpp"

#include "client/back_off.hpp"
#include "client/report.hpp"

#include <algorithm>

namespace covey::client {

namespace {

constexpr auto back_off_least = std::chrono::milliseconds{10};
constexpr auto back_off_most = std::chrono::milliseconds{1000};

} // namespace

uint64_t import_counts::failures() const {
  uint64_t sum = 0;
  for (auto& [code, count] : failed)
    sum += count;
  return sum;
}

importer::importer(client& kv, request_options options, import_mode mode,
                   size_t in_flight, ack_log& log)
  : kv_(kv), options_(std::move(options)), mode_(mode), limit_(in_flight),
    log_(log), rng_(kv.new_request_id().high) {}

bool importer::wait_for_room(int timeout_ms) {
  std::unique_lock<std::mutex> guard{mutex_};
  auto has_room = [this] {
    return in_flight_ + repeats_.size() < limit_;
  };
  return changed_.wait_until(guard, latest(timeout_ms), has_room);
}

void importer::wait_for_change(int timeout_ms) {
  std::unique_lock<std::mutex> guard{mutex_};
  if (in_flight_ > 0 || !repeats_.empty())
    changed_.wait_until(guard, latest(timeout_ms));
}

importer::clock::time_point importer::latest(int timeout_ms) const {
  auto result = clock::now() + std::chrono::milliseconds{timeout_ms};
  return repeats_.empty() ? result : std::min(result, repeats_.top()->due);
}

void importer::put(std::string key, std::string value) {
  auto r = std::make_shared<record>();
  r->key = std::move(key);
  r->value = std::move(value);
  r->request = kv_.new_request_id();
  r->deadline = clock::now() + options_.timeout;
  {
    std::lock_guard<std::mutex> guard{mutex_};
    ++in_flight_;
  }
  send(std::move(r));
}

void importer::look(record_ptr r) {
  auto how = options_;
  how.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
    r->deadline - clock::now());
  auto key = r->key;
  kv_.get(std::move(key), how, [this, r = std::move(r)](result&& answer) {
    auto& values = answer.values;
    auto there
      = std::find(values.begin(), values.end(), r->value) != values.end();
    auto settled
      = mode_ == import_mode::resume ? there : there && values.size() == 1;
    if (!answer.ok() || settled) {
      answered(r, std::move(answer));
      return;
    }
    r->looked = true;
    if (mode_ == import_mode::overwrite)
      r->context = std::move(answer.context);
    send(r);
  });
}

void importer::send(record_ptr r) {
  if (mode_ != import_mode::plain && !r->looked) {
    look(std::move(r));
    return;
  }
  auto how = options_;
  how.context = r->context;
  how.request = r->request;
  how.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
    r->deadline - clock::now());
  auto key = r->key;
  auto value = r->value;
  kv_.put(std::move(key), std::move(value), how,
          [this, r = std::move(r)](result&& answer) {
            answered(r, std::move(answer));
          });
}

void importer::answered(record_ptr r, result&& answer) {
  std::lock_guard<std::mutex> guard{mutex_};
  --in_flight_;
  r->maybe_written = r->maybe_written || answer.maybe_written;
  auto now = clock::now();
  if (answer.ok()) {
    ++counts_.acknowledged;
    if (log_.is_open())
      acked_.push_back(std::move(r->key));
  } else {
    auto pause = back_off(r->tries++, back_off_least, back_off_most, rng_);
    if (answer.code == errc::overloaded && now + pause < r->deadline) {
      r->due = now + pause;
      repeats_.push(std::move(r));
    } else {
      if (++counts_.failed[answer.code] == 1)
        news_.push_back(error_line(
          "import", {answer.code, answer.text, true, r->maybe_written}));
      if (r->maybe_written)
        ++counts_.maybe_written;
    }
  }
  changed_.notify_one();
}

bool importer::idle() {
  std::lock_guard<std::mutex> guard{mutex_};
  return in_flight_ == 0 && repeats_.empty();
}

bool importer::work() {
  std::vector<record_ptr> due;
  std::vector<std::string> acked;
  {
    std::lock_guard<std::mutex> guard{mutex_};
    auto now = clock::now();
    while (!repeats_.empty() && repeats_.top()->due <= now) {
      due.push_back(repeats_.top());
      repeats_.pop();
      ++in_flight_;
    }
    acked.swap(acked_);
  }
  for (auto& r : due)
    send(std::move(r));
  auto ok = true;
  for (auto& key : acked)
    ok = log_.append(key) && ok;
  return ok;
}

import_counts importer::counts() {
  std::lock_guard<std::mutex> guard{mutex_};
  return counts_;
}

std::vector<std::string> importer::take_news() {
  std::lock_guard<std::mutex> guard{mutex_};
  return std::exchange(news_, {});
}

} // namespace covey::client
