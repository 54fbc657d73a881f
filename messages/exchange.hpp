// The dialogue of anti-entropy, as values: every field from outside is checked.

#pragma once

#include "core/epoch.hpp"
#include "core/exchange_messages.hpp"
#include "messages/errors.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace covey {

/// A question, or the wish to begin an exchange.
struct exchange_ask {
  uint64_t exchange = 0;
  /// The fields after `epoch` are a question's.
  bool begins = false;
  uint32_t group = 0;
  uint32_t tree_number = 0;
  core::epoch_id epoch;
  core::exchange_question question;
};

struct exchange_answer {
  uint64_t exchange = 0;
  /// Not none: the question is refused.
  errc code = errc::none;
  uint32_t tree_number = 0;
  core::exchange_answer answer;
};

/// Slots found equal, of those that both are homes of.
struct exchange_end {
  uint64_t exchange = 0;
  std::vector<core::slot_range> equal;
  bool over = false;
};

std::string serialize(const exchange_ask& in);
std::string serialize(const exchange_answer& in);
std::string serialize(const exchange_end& in);

// Nothing for bytes that no sound peer sends: too many of something, what is
// to be sorted not sorted, slots, depths and leaves that do not exist.
std::optional<exchange_ask> parse_exchange_ask(std::string_view bytes);
std::optional<exchange_answer> parse_exchange_answer(std::string_view bytes);
std::optional<exchange_end> parse_exchange_end(std::string_view bytes);

/// About what a part takes in a message.
size_t size_of(const core::part_answer& x);

} // namespace covey
