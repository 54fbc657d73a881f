// Scans: pages of keys in the order of the ring.

#include "client/client_impl.hpp"
#include "client/scanner.hpp"
#include "core/slot.hpp"

namespace covey::client {

namespace {

bool has_prefix(const std::string& key, const std::string& prefix) {
  return key.compare(0, prefix.size(), prefix) == 0;
}

scan_page to_page(outcome& o, const scan_cursor& from,
                  const scan_options& options) {
  scan_page page;
  page.code = o.code;
  page.text = std::move(o.text);
  page.next = from;
  auto* reply = std::get_if<wire::ScanReply>(&o.reply);
  if (reply == nullptr || !page.ok())
    return page;
  page.next.slot = reply->next_slot();
  page.next.after_key = std::move(*reply->mutable_next_after_key());
  auto onward
    = page.next.slot > from.slot
      || (page.next.slot == from.slot && page.next.after_key > from.after_key);
  if (!onward) {
    page.code = errc::bad_message;
    page.text = "the node sent a page that does not lead onward";
    page.next = from;
    return page;
  }
  for (auto& entry : *reply->mutable_entries()) {
    if (!has_prefix(entry.key(), options.prefix))
      continue;
    page.entries.emplace_back();
    page.entries.back().key = std::move(*entry.mutable_key());
    for (auto& value : *entry.mutable_values())
      page.entries.back().values.push_back(std::move(value));
  }
  return page;
}

} // namespace

bool scan_cursor::at_end() const {
  return slot >= core::slot_count;
}

void client::scan(const scan_cursor& from, const scan_options& options,
                  std::function<void(scan_page&&)> done) {
  wire::ScanRequest request;
  request.set_keyspace(options.request.keyspace);
  request.set_slot(from.slot);
  request.set_after_key(from.after_key);
  request.set_prefix(options.prefix);
  if (options.slot)
    request.set_end_slot(*options.slot + 1u);
  request.set_max_bytes(options.page_bytes);
  request.set_level(static_cast<uint32_t>(options.request.level.level));
  request.set_level_count(options.request.level.count);
  impl_->submit(std::move(request), options.request,
                [from, options, done = std::move(done)](outcome& o) {
                  done(to_page(o, from, options));
                });
}

scan_page client::scan(const scan_cursor& from, const scan_options& options) {
  waiter<scan_page> w;
  scan(from, options, w.done());
  return w.wait();
}

} // namespace covey::client
