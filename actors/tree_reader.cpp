#include "actors/tree_reader.hpp"

#include "messages/exchange.hpp"

#include <algorithm>

namespace covey {

namespace {

constexpr auto shard_timeout = std::chrono::seconds(10);

using answer_function = std::function<void(core::exchange_answer)>;

/// A question under way to the shards.
struct reading {
  tree_scope scope;
  core::exchange_question question;
  answer_function done;
  size_t open = 0;
  /// By slot, if there are ranges; those that no shard told of are not ready.
  std::vector<tree_root> roots;
  std::vector<core::part_answer> parts;
};

using reading_ptr = std::shared_ptr<reading>;

void add_roots(const reading& x, core::exchange_answer& out) {
  auto one_a_slot = x.question.kind == core::question_kind::roots;
  for (const auto& r : x.question.ranges) {
    core::slot_root sum;
    sum.ready = true;
    auto [slot, end] = slots_in(*x.scope.shared, r);
    for (; slot != end; ++slot) {
      const auto& tree = x.roots[*slot];
      if (one_a_slot)
        out.roots.push_back({tree.ready, tree.depth, tree.sum});
      sum.ready = sum.ready && tree.ready;
      sum.sum += tree.sum;
    }
    if (!one_a_slot)
      out.roots.push_back(sum);
  }
}

void close(const reading_ptr& x) {
  if (--x->open > 0)
    return;
  core::exchange_answer answer;
  answer.id = x->question.id;
  add_roots(*x, answer);
  size_t bytes = 0;
  for (auto& part : x->parts) {
    bytes += size_of(part);
    if (bytes > core::exchange_answer_bytes && !answer.parts.empty())
      break;
    answer.parts.push_back(std::move(part));
    if (!answer.parts.back().next.empty())
      break;
  }
  x->done(std::move(answer));
}

void ask_roots(anti_entropy_actor::pointer self,
               const std::vector<tree_source_actor>& sources,
               const reading_ptr& x) {
  const auto& ranges = x->question.ranges;
  auto shards = static_cast<uint32_t>(sources.size());
  auto first = core::shard_of(ranges.front().first, shards);
  auto last = core::shard_of(ranges.back().last, shards);
  x->open = last - first + 1;
  x->roots.resize(core::slot_count);
  for (auto shard = first; shard <= last; ++shard)
    self
      ->request(
        sources[shard], shard_timeout,
        roots_query{x->scope.group, ranges.front().first, ranges.back().last})
      .then(
        [x](const roots_page& page) {
          for (const auto& root : page.roots)
            if (root.slot < core::slot_count)
              x->roots[root.slot] = root;
          close(x);
        },
        [x](const caf::error&) {
          close(x);
        });
}

core::part_answer part_of(versions_page& page) {
  core::part_answer result;
  result.ok = page.ok;
  result.next = std::move(page.next);
  for (auto& k : page.keys)
    result.keys.push_back({k.key_hash, k.version_hash, k.keyspace,
                           std::move(k.key), std::move(k.version)});
  std::sort(result.keys.begin(), result.keys.end(),
            [](const auto& a, const auto& b) {
              return a.key_hash < b.key_hash;
            });
  return result;
}

void ask_part(anti_entropy_actor::pointer self, const tree_source_actor& source,
              const reading_ptr& x, size_t i) {
  const auto& part = x->question.parts[i];
  auto failed = [x](const caf::error&) {
    close(x);
  };
  if (x->question.kind == core::question_kind::leaves) {
    self
      ->request(source, shard_timeout,
                leaves_query{x->scope.group, part.slot, part.depth})
      .then(
        [x, i](const leaves_page& page) {
          x->parts[i].ok = page.ready;
          x->parts[i].sums = page.sums;
          close(x);
        },
        failed);
    return;
  }
  versions_query query;
  query.group = x->scope.group;
  query.slot = part.slot;
  query.depth = part.depth;
  query.leaves = part.leaves;
  query.keys = part.keys;
  query.after = part.after;
  self->request(source, shard_timeout, std::move(query))
    .then(
      [x, i](versions_page& page) {
        x->parts[i] = part_of(page);
        close(x);
      },
      failed);
}

} // namespace

std::pair<std::vector<uint16_t>::const_iterator,
          std::vector<uint16_t>::const_iterator>
slots_in(const std::vector<uint16_t>& shared, const core::slot_range& r) {
  return {std::lower_bound(shared.begin(), shared.end(), r.first),
          std::upper_bound(shared.begin(), shared.end(), r.last)};
}

void read_trees(anti_entropy_actor::pointer self,
                const std::vector<tree_source_actor>& sources,
                const tree_scope& scope,
                const core::exchange_question& question,
                std::function<void(core::exchange_answer)> done) {
  auto x = std::make_shared<reading>();
  x->scope = scope;
  x->question = question;
  x->done = std::move(done);
  if (!question.ranges.empty()) {
    ask_roots(self, sources, x);
    return;
  }
  auto shards = static_cast<uint32_t>(sources.size());
  x->open = question.parts.size();
  x->parts.resize(question.parts.size());
  for (size_t i = 0; i < question.parts.size(); ++i)
    ask_part(self, sources[core::shard_of(question.parts[i].slot, shards)], x,
             i);
}

} // namespace covey
