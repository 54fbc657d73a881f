#include "messages/exchange.hpp"

#include "core/slot.hpp"
#include "messages/burst.hpp"
#include "messages/peer.pb.h"

#include <algorithm>

namespace covey {

namespace {

/// Answers stop growing long before; a page of a shard may be larger.
constexpr size_t max_bytes = 1 << 20;
constexpr size_t max_cursor = 4096;
constexpr size_t max_leaves = size_t{1} << core::max_exchange_depth;
constexpr size_t max_end_ranges = core::slot_count / 2;
constexpr uint8_t ready_bit = 0x80;
constexpr uint8_t max_depth = 63;

template <class T, class Wire>
std::vector<T> list(const Wire& in) {
  return {in.begin(), in.end()};
}

template <class Ts>
bool rises(const Ts& xs) {
  return std::adjacent_find(xs.begin(), xs.end(),
                            [](auto x, auto y) {
                              return y <= x;
                            })
         == xs.end();
}

template <class Message>
void set_ranges(const std::vector<core::slot_range>& in, Message& out) {
  for (const auto& r : in) {
    out.add_firsts(r.first);
    out.add_lasts(r.last);
  }
}

template <class Message>
bool read_ranges(const Message& in, size_t limit,
                 std::vector<core::slot_range>& out) {
  if (in.firsts_size() != in.lasts_size()
      || static_cast<size_t>(in.firsts_size()) > limit)
    return false;
  int64_t before = -1;
  for (int i = 0; i < in.firsts_size(); ++i) {
    auto first = in.firsts(i);
    auto last = in.lasts(i);
    if (first <= before || last < first || last >= core::slot_count)
      return false;
    before = last;
    out.push_back({static_cast<uint16_t>(first), static_cast<uint16_t>(last)});
  }
  return true;
}

bool read_part(const wire::ExchangePart& in, core::question_kind kind,
               core::slot_part& out) {
  auto by_leaf = kind != core::question_kind::leaves;
  auto leaves = static_cast<size_t>(in.leaves_size());
  auto keys = static_cast<size_t>(in.keys_size());
  if (in.slot() >= core::slot_count || in.depth() > core::max_exchange_depth
      || leaves > max_leaves || keys > core::max_exchange_keys
      || in.after().size() > max_cursor || by_leaf == (leaves == 0)
      || (kind == core::question_kind::versions) == (keys == 0)
      || !rises(in.leaves()) || !rises(in.keys()))
    return false;
  out.slot = static_cast<uint16_t>(in.slot());
  out.depth = static_cast<uint8_t>(in.depth());
  out.leaves = list<uint32_t>(in.leaves());
  out.keys = list<uint64_t>(in.keys());
  out.after = in.after();
  return leaves == 0 || out.leaves.back() < uint32_t{1} << out.depth;
}

bool read_question(const wire::ExchangeAsk& in, core::exchange_question& out) {
  if (in.kind() < static_cast<uint32_t>(core::question_kind::sums)
      || in.kind() > static_cast<uint32_t>(core::question_kind::versions))
    return false;
  out.kind = static_cast<core::question_kind>(in.kind());
  auto of_ranges = out.kind == core::question_kind::sums
                   || out.kind == core::question_kind::roots;
  if (of_ranges == (in.firsts_size() == 0) || of_ranges == (in.parts_size() > 0)
      || static_cast<size_t>(in.parts_size()) > core::max_exchange_parts
      || !read_ranges(in, core::max_exchange_ranges, out.ranges))
    return false;
  size_t keys = 0;
  size_t leaves = 0;
  for (const auto& x : in.parts()) {
    core::slot_part part;
    if (!read_part(x, out.kind, part))
      return false;
    keys += part.keys.size();
    leaves
      += out.kind == core::question_kind::leaves ? size_t{1} << part.depth : 0;
    out.parts.push_back(std::move(part));
  }
  return keys <= core::max_exchange_keys && leaves <= max_leaves;
}

bool read_part_answer(const wire::ExchangePartAnswer& in,
                      core::part_answer& out) {
  auto n = in.key_hashes_size();
  auto named = in.keys_size() > 0;
  if (static_cast<size_t>(in.sums_size()) > max_leaves
      || in.version_hashes_size() != n || in.next().size() > max_cursor
      || (named
          && (in.keys_size() != n || in.versions_size() != n
              || in.keyspaces_size() != n))
      || !std::is_sorted(in.key_hashes().begin(), in.key_hashes().end()))
    return false;
  out.ok = in.ok();
  out.sums = list<uint64_t>(in.sums());
  out.next = in.next();
  for (int i = 0; i < n; ++i) {
    core::exchanged_key k;
    k.key_hash = in.key_hashes(i);
    k.version_hash = in.version_hashes(i);
    if (named) {
      k.keyspace = in.keyspaces(i);
      k.key = in.keys(i);
      k.version = in.versions(i);
    }
    out.keys.push_back(std::move(k));
  }
  return true;
}

template <class Message>
bool parse_bounded(std::string_view bytes, Message& out) {
  return bytes.size() <= max_bytes && parse(bytes, out);
}

} // namespace

size_t size_of(const core::part_answer& x) {
  auto result = 16 + 8 * x.sums.size() + 16 * x.keys.size() + x.next.size();
  for (const auto& k : x.keys)
    if (!k.key.empty())
      result += 10 + k.key.size() + k.version.size();
  return result;
}

std::string serialize(const exchange_ask& in) {
  wire::ExchangeAsk out;
  out.set_exchange(in.exchange);
  out.set_question(in.question.id);
  if (in.begins) {
    out.set_group(in.group);
    out.set_tree_number(in.tree_number);
    out.set_epoch_generation(in.epoch.generation);
    out.set_epoch_number(in.epoch.number);
    return out.SerializeAsString();
  }
  out.set_kind(static_cast<uint32_t>(in.question.kind));
  set_ranges(in.question.ranges, out);
  for (const auto& part : in.question.parts) {
    auto& x = *out.add_parts();
    x.set_slot(part.slot);
    x.set_depth(part.depth);
    x.mutable_leaves()->Add(part.leaves.begin(), part.leaves.end());
    x.mutable_keys()->Add(part.keys.begin(), part.keys.end());
    x.set_after(part.after);
  }
  return out.SerializeAsString();
}

std::string serialize(const exchange_answer& in) {
  wire::ExchangeAnswer out;
  out.set_exchange(in.exchange);
  out.set_question(in.answer.id);
  out.set_code(static_cast<uint32_t>(in.code));
  out.set_tree_number(in.tree_number);
  for (const auto& x : in.answer.roots) {
    out.add_sums(x.sum);
    auto tree = x.depth | (x.ready ? ready_bit : 0);
    out.mutable_trees()->push_back(static_cast<char>(tree));
  }
  for (const auto& part : in.answer.parts) {
    auto& x = *out.add_parts();
    x.set_ok(part.ok);
    x.mutable_sums()->Add(part.sums.begin(), part.sums.end());
    x.set_next(part.next);
    auto named
      = std::any_of(part.keys.begin(), part.keys.end(), [](const auto& k) {
          return !k.key.empty();
        });
    for (const auto& k : part.keys) {
      x.add_key_hashes(k.key_hash);
      x.add_version_hashes(k.version_hash);
      if (named) {
        x.add_keyspaces(k.keyspace);
        x.add_keys(k.key);
        x.add_versions(k.version);
      }
    }
  }
  return out.SerializeAsString();
}

std::string serialize(const exchange_end& in) {
  wire::ExchangeEnd out;
  out.set_exchange(in.exchange);
  set_ranges(in.equal, out);
  out.set_over(in.over);
  return out.SerializeAsString();
}

std::optional<exchange_ask> parse_exchange_ask(std::string_view bytes) {
  wire::ExchangeAsk in;
  if (!parse_bounded(bytes, in))
    return std::nullopt;
  exchange_ask out;
  out.exchange = in.exchange();
  out.question.id = in.question();
  out.begins = in.kind() == 0;
  if (out.begins) {
    out.group = in.group();
    out.tree_number = in.tree_number();
    out.epoch = {in.epoch_generation(), in.epoch_number()};
    return out;
  }
  if (!read_question(in, out.question))
    return std::nullopt;
  return out;
}

std::optional<exchange_answer> parse_exchange_answer(std::string_view bytes) {
  wire::ExchangeAnswer in;
  if (!parse_bounded(bytes, in) || in.code() > 0xff
      || static_cast<size_t>(in.sums_size()) != in.trees().size()
      || in.trees().size() > core::max_exchange_roots
      || static_cast<size_t>(in.parts_size()) > core::max_exchange_parts)
    return std::nullopt;
  exchange_answer out;
  out.exchange = in.exchange();
  out.code = static_cast<errc>(in.code());
  out.tree_number = in.tree_number();
  out.answer.id = in.question();
  for (int i = 0; i < in.sums_size(); ++i) {
    auto tree = static_cast<uint8_t>(in.trees()[static_cast<size_t>(i)]);
    core::slot_root x;
    x.ready = (tree & ready_bit) != 0;
    x.depth = tree & ~ready_bit;
    x.sum = in.sums(i);
    if (x.depth > max_depth)
      return std::nullopt;
    out.answer.roots.push_back(x);
  }
  for (const auto& x : in.parts()) {
    core::part_answer part;
    if (!read_part_answer(x, part))
      return std::nullopt;
    out.answer.parts.push_back(std::move(part));
  }
  return out;
}

std::optional<exchange_end> parse_exchange_end(std::string_view bytes) {
  wire::ExchangeEnd in;
  exchange_end out;
  if (!parse_bounded(bytes, in) || !read_ranges(in, max_end_ranges, out.equal))
    return std::nullopt;
  out.exchange = in.exchange();
  out.over = in.over();
  return out;
}

} // namespace covey
