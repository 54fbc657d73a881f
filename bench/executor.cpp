#include "bench/executor.hpp"

#include "core/slot.hpp"

#include <algorithm>
#include <utility>

namespace covey::bench {

namespace {

/// Values start at so many different places of the random bytes.
constexpr size_t variety = 1 << 16;

/// What a row of a scan page costs besides its value, about.
constexpr uint32_t row_overhead = 64;

answer to_answer(const client::result& r) {
  answer result;
  result.code = r.code;
  return result;
}

client::scan_cursor start_of_scan(std::string key) {
  auto slot = core::slot_of(key, false);
  return {slot, std::move(key)};
}

} // namespace

value_source::value_source(const value_settings& settings)
  : size_(settings.size) {
  if (settings.compressible) {
    for (char c = 'a'; c <= 'z'; ++c)
      bytes_.append(size_, c);
    return;
  }
  random_source random{settings.seed};
  bytes_.reserve(size_ + variety + sizeof(uint64_t));
  while (bytes_.size() < size_ + variety)
    for (auto x = random(); x != 0; x >>= 8)
      bytes_.push_back(static_cast<char>(x & 0xff));
}

std::string value_source::next() {
  // An odd step visits every place before one comes again.
  auto places = bytes_.size() - size_ + 1;
  auto at = made_.fetch_add(1, std::memory_order_relaxed) * 7919 % places;
  return bytes_.substr(at, size_);
}

executor::executor(client::settings nodes, client::request_options how,
                   const value_settings& values)
  : how_(std::move(how)), values_(values),
    bytes_per_key_(static_cast<uint32_t>(values.size) + row_overhead),
    kv_(std::move(nodes)) {}

void executor::run(const operation& what, callback done) {
  switch (what.kind) {
    case op_kind::read:
      read(what, std::move(done));
      break;
    case op_kind::update:
    case op_kind::insert:
      write(what, std::move(done));
      break;
    case op_kind::read_modify_write:
      read_modify_write(what, std::move(done));
      break;
    case op_kind::scan:
      scan(start_of_scan(key_of(what.key)), what.length, std::move(done));
      break;
  }
}

void executor::read(const operation& what, callback done) {
  kv_.get(key_of(what.key), how_, [done = std::move(done)](auto&& r) {
    auto result = to_answer(r);
    result.not_found = r.ok() && r.values.empty();
    result.siblings = r.values.size() > 1;
    done(result);
  });
}

void executor::write(const operation& what, callback done) {
  kv_.put(key_of(what.key), values_.next(), how_,
          [done = std::move(done)](auto&& r) {
            done(to_answer(r));
          });
}

void executor::read_modify_write(const operation& what, callback done) {
  kv_.get(key_of(what.key), how_,
          [this, what, done = std::move(done)](auto&& r) {
            auto seen = to_answer(r);
            if (!r.ok()) {
              done(seen);
              return;
            }
            seen.not_found = r.values.empty();
            seen.siblings = r.values.size() > 1;
            auto how = how_;
            how.context = std::move(r.context);
            kv_.put(key_of(what.key), values_.next(), how,
                    [seen, done](auto&& put) mutable {
                      seen.code = put.code;
                      done(seen);
                    });
          });
}

void executor::scan(client::scan_cursor from, uint32_t wanted, callback done) {
  client::scan_options options;
  options.request = how_;
  options.page_bytes = wanted * bytes_per_key_;
  kv_.scan(from, options,
           [this, wanted, done = std::move(done)](client::scan_page&& page) {
             auto seen = static_cast<uint32_t>(page.entries.size());
             if (!page.ok() || seen >= wanted || page.next.at_end())
               done({page.code, false, false});
             else
               scan(std::move(page.next), wanted - seen, done);
           });
}

} // namespace covey::bench
