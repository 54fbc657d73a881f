// Requests made of several: multi-get, multi-put, update.

#include "client/client_impl.hpp"

#include <atomic>

namespace covey::client {

namespace {

// Results of requests that end in any order; the last one delivers them.
class gathering {
public:
  gathering(size_t n, std::function<void(std::vector<result>&&)> done)
    : results_(n), missing_(n), done_(std::move(done)) {}

  static callback place(std::shared_ptr<gathering> all, size_t i) {
    return [all = std::move(all), i](result&& r) {
      all->results_[i] = std::move(r);
      if (--all->missing_ == 0)
        all->done_(std::move(all->results_));
    };
  }

private:
  std::vector<result> results_;
  std::atomic<size_t> missing_;
  std::function<void(std::vector<result>&&)> done_;
};

} // namespace

void client::multi_get(std::vector<std::string> keys,
                       const request_options& options, many_callback done) {
  if (keys.empty()) {
    done({});
    return;
  }
  auto all = std::make_shared<gathering>(keys.size(), std::move(done));
  for (size_t i = 0; i < keys.size(); ++i)
    get(std::move(keys[i]), options, gathering::place(all, i));
}

void client::multi_put(std::vector<write> writes,
                       const request_options& options, many_callback done) {
  if (writes.empty()) {
    done({});
    return;
  }
  auto all = std::make_shared<gathering>(writes.size(), std::move(done));
  auto how = options;
  // One id is of one write.
  how.request = {};
  for (size_t i = 0; i < writes.size(); ++i) {
    auto& w = writes[i];
    how.context = std::move(w.context);
    if (w.remove)
      remove(std::move(w.key), how, gathering::place(all, i));
    else
      put(std::move(w.key), std::move(w.value), how, gathering::place(all, i));
  }
}

std::vector<result> client::multi_get(std::vector<std::string> keys,
                                      const request_options& options) {
  auto how = options;
  how.resolve = nullptr;
  waiter<std::vector<result>> w;
  multi_get(std::move(keys), how, w.done());
  auto results = w.wait();
  for (auto& r : results)
    resolve_siblings(r, options.resolve);
  return results;
}

std::vector<result> client::multi_put(std::vector<write> writes,
                                      const request_options& options) {
  waiter<std::vector<result>> w;
  multi_put(std::move(writes), options, w.done());
  return w.wait();
}

result client::update(const std::string& key, const change& f,
                      const request_options& options) {
  auto deadline = std::chrono::steady_clock::now() + options.timeout;
  auto found = get(key, options);
  if (!found.ok())
    return found;
  auto how = options;
  how.context = std::move(found.context);
  how.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
    deadline - std::chrono::steady_clock::now());
  return put(key, f(std::move(found.values)), how);
}

} // namespace covey::client
