// What the storage shard tells anti-entropy.

#include "actors/shard_versions.hpp"
#include "actors/storage_shard.hpp"

namespace covey {

/// What an exchange reads is on disk: what was committed before the question
/// rides the next flush, and the answer with it.
template <class Page>
caf::typed_response_promise<Page> storage_shard_state::after_flush(Page page) {
  auto promise = self->make_response_promise<Page>();
  if (sequence_ <= flushed_)
    promise.deliver(std::move(page));
  else
    pages_.push_back({sequence_, [promise, page = std::move(page)]() mutable {
                        promise.deliver(std::move(page));
                      }});
  return promise;
}

caf::typed_response_promise<roots_page>
storage_shard_state::tell_roots(const roots_query& query) {
  return after_flush(answers_trees() ? trees_.roots(query) : roots_page{});
}

caf::typed_response_promise<leaves_page>
storage_shard_state::tell_leaves(const leaves_query& query) {
  return after_flush(answers_trees() ? trees_.leaves(query) : leaves_page{});
}

caf::typed_response_promise<versions_page>
storage_shard_state::tell_versions(const versions_query& query) {
  return after_flush(answers_trees() ? read_versions(*session, table(), query)
                                     : versions_page{});
}

bool storage_shard_state::answers_trees() const {
  return !drained && pages_.size() < max_pages;
}

void storage_shard_state::release_pages() {
  while (!pages_.empty() && pages_.front().sequence <= flushed_) {
    pages_.front().deliver();
    pages_.pop_front();
  }
}

} // namespace covey
