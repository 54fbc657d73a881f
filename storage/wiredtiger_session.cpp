#include "storage/wiredtiger_session.hpp"

#include "core/check.hpp"
#include "storage/wiredtiger_config.hpp"

namespace covey::storage {

namespace {

WT_ITEM item(std::string_view bytes) {
  WT_ITEM result{};
  result.data = bytes.data();
  result.size = bytes.size();
  return result;
}

std::string_view view(const WT_ITEM& x) {
  return {static_cast<const char*>(x.data), x.size};
}

/// Takes the cursor's position away, whatever happens.
class position_guard {
public:
  explicit position_guard(WT_CURSOR* cursor) : cursor_(cursor) {}
  ~position_guard() {
    cursor_->reset(cursor_);
  }
  position_guard(const position_guard&) = delete;
  position_guard& operator=(const position_guard&) = delete;

private:
  WT_CURSOR* cursor_;
};

/// Puts the cursor on the first key that is not less than `from`.
int seek(WT_CURSOR* cursor, std::string_view from) {
  // WiredTiger refuses an empty key.
  if (from.empty())
    return cursor->next(cursor);
  auto key = item(from);
  cursor->set_key(cursor, &key);
  int order = 0;
  int code = cursor->search_near(cursor, &order);
  return code == 0 && order < 0 ? cursor->next(cursor) : code;
}

} // namespace

wiredtiger_session::wiredtiger_session(wiredtiger_connection& connection,
                                       WT_SESSION* handle, uint32_t shards)
  : connection_(connection), handle_(handle), cursors_(shards + 1) {
  ++connection_.open_sessions;
}

wiredtiger_session::~wiredtiger_session() {
  rollback();
  // Closes the cursors too.
  handle_->close(handle_, nullptr);
  --connection_.open_sessions;
}

status wiredtiger_session::begin() {
  COVEY_CHECK(!active_);
  auto result
    = connection_.translate(handle_->begin_transaction(handle_, nullptr));
  active_ = result == status::ok;
  outcome_ = status::ok;
  return result;
}

status wiredtiger_session::commit() {
  COVEY_CHECK(active_);
  // A transaction with a failed call could still be committed without it.
  if (outcome_ != status::ok) {
    rollback();
    return outcome_;
  }
  int code = handle_->commit_transaction(handle_, nullptr);
  // Some failures leave the transaction open.
  if (code != 0)
    rollback();
  active_ = false;
  return connection_.translate(code);
}

void wiredtiger_session::rollback() {
  if (!active_)
    return;
  active_ = false;
  handle_->rollback_transaction(handle_, nullptr);
}

status wiredtiger_session::get(table_id table, std::string_view key,
                               std::string_view& value) {
  COVEY_CHECK(!key.empty());
  auto* cursor = cursor_of(table);
  if (cursor == nullptr)
    return outcome_ = status::failed;
  position_guard guard{cursor};
  auto wanted = item(key);
  cursor->set_key(cursor, &wanted);
  int code = cursor->search(cursor);
  WT_ITEM found{};
  if (code == 0)
    code = cursor->get_value(cursor, &found);
  if (code == 0) {
    buffer_.assign(view(found));
    value = buffer_;
  }
  auto result = connection_.translate(code);
  if (result != status::ok && result != status::not_found)
    outcome_ = result;
  return result;
}

status wiredtiger_session::put(table_id table, std::string_view key,
                               std::string_view value) {
  auto* cursor = begin_write(table, key);
  if (cursor == nullptr)
    return outcome_;
  auto bytes = item(value);
  cursor->set_value(cursor, &bytes);
  return end_write(cursor, cursor->insert(cursor));
}

status wiredtiger_session::remove(table_id table, std::string_view key) {
  auto* cursor = begin_write(table, key);
  if (cursor == nullptr)
    return outcome_;
  int code = cursor->remove(cursor);
  return end_write(cursor, code == WT_NOTFOUND ? 0 : code);
}

WT_CURSOR* wiredtiger_session::begin_write(table_id table,
                                           std::string_view key) {
  COVEY_CHECK(active_);
  COVEY_CHECK(!key.empty());
  // Rows of our own are few, and keep what is there safe.
  if (outcome_ == status::ok && table != system_table && connection_.disk_full)
    outcome_ = status::disk_full;
  if (outcome_ != status::ok)
    return nullptr;
  auto* cursor = cursor_of(table);
  if (cursor == nullptr) {
    outcome_ = status::failed;
    return nullptr;
  }
  auto bytes = item(key);
  cursor->set_key(cursor, &bytes);
  return cursor;
}

status wiredtiger_session::end_write(WT_CURSOR* cursor, int code) {
  int reset = cursor->reset(cursor);
  outcome_ = connection_.translate(code != 0 ? code : reset);
  return outcome_;
}

status wiredtiger_session::scan(
  table_id table, std::string_view from, std::string_view to,
  const std::function<bool(std::string_view key, std::string_view value)>&
    visit) {
  COVEY_CHECK(!active_);
  auto* cursor = cursor_of(table);
  if (cursor == nullptr)
    return status::failed;
  position_guard guard{cursor};
  int code = seek(cursor, from);
  for (; code == 0; code = cursor->next(cursor)) {
    WT_ITEM key{};
    WT_ITEM value{};
    code = cursor->get_key(cursor, &key);
    if (code == 0 && !to.empty() && view(key) >= to)
      return status::ok;
    if (code == 0)
      code = cursor->get_value(cursor, &value);
    if (code != 0)
      break;
    if (!visit(view(key), view(value)))
      return status::ok;
  }
  return code == WT_NOTFOUND ? status::ok : connection_.translate(code);
}

int wiredtiger_session::open_table(table_id table) {
  size_t index = table == system_table ? cursors_.size() - 1 : table;
  COVEY_CHECK(index < cursors_.size());
  auto& cursor = cursors_[index];
  if (cursor != nullptr)
    return 0;
  return handle_->open_cursor(handle_, table_uri(table).c_str(), nullptr,
                              nullptr, &cursor);
}

WT_CURSOR* wiredtiger_session::cursor_of(table_id table) {
  if (open_table(table) != 0)
    return nullptr;
  return cursors_[table == system_table ? cursors_.size() - 1 : table];
}

} // namespace covey::storage
