// Causal contexts: which writes are known.

#pragma once

#include "core/dot.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace covey::core {

class byte_reader;
class byte_writer;

/// A set of dots of one key: a version vector plus single dots beyond it.
///
/// The vector part claims "every dot of this key under `inc` up to `counter`",
/// which only whoever has read a whole record may claim. The single dots are
/// for the writer that knows its own write but not what was concurrent to it.
/// Joining is idempotent, commutative and associative.
/// Source: Preguiça et al., "Dotted Version Vectors", 2010; Almeida et al.,
/// "Scalable and Accurate Causality Tracking", 2014.
class context {
public:
  using entries = std::vector<dot>;

  /// The context of these two parts; nothing unless they are as `vector()` and
  /// `singles()` promise. For decoders.
  static std::optional<context> from_parts(entries vector, entries singles);

  /// True if `d` is in the set.
  bool covers(const dot& d) const;
  /// True if every dot that `other` claims is claimed here.
  bool covers(const context& other) const;

  /// Claims every dot of `d.inc` up to `d.counter`.
  void advance(const dot& d);
  /// Claims `d` alone.
  void add(const dot& d);
  void join(const context& other);

  /// Counter of the vector part for `inc`; zero if it has no entry.
  uint64_t counter(incarnation inc) const;
  /// Highest counter claimed for `inc` in either part; zero if none.
  uint64_t highest(incarnation inc) const;

  /// Removes the entry of `inc` from both parts. Only for bounding clocks.
  void forget(incarnation inc);
  /// Keeps the `limit` largest single dots. Only for bounding clocks.
  void limit_singles(size_t limit);

  bool empty() const {
    return vector_.empty() && singles_.empty();
  }
  /// One entry per incarnation, sorted by incarnation.
  const entries& vector() const {
    return vector_;
  }
  /// Dots beyond the vector part, sorted, none covered by it.
  const entries& singles() const {
    return singles_;
  }

private:
  void compact();

  entries vector_;
  entries singles_;
};

bool operator==(const context& x, const context& y);
inline bool operator!=(const context& x, const context& y) {
  return !(x == y);
}

/// Bytes of a context (docs/format/context.md), for the formats that hold one.
void encode(const context& c, byte_writer& out);
/// Nothing for malformed bytes.
std::optional<context> decode_context(byte_reader& in);

/// Bytes of one dot beside a context whose vector part names its incarnation in
/// a byte if it can.
void encode(const dot& d, const context::entries& vector, byte_writer& out);
/// Nothing for malformed bytes, zero incarnations and zero counters.
std::optional<dot> decode_dot(byte_reader& in, const context::entries& vector);

} // namespace covey::core
