// A Bloom filter that grows: "surely absent" or "maybe present".

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace covey::core {

/// Holds any number of keys at a false positive rate of about 1 % by adding
/// layers of doubling size, each with a tighter rate. Never a false negative.
/// Source: Almeida et al., "Scalable Bloom Filters", 2007; Kirsch and
/// Mitzenmacher, "Less Hashing, Same Performance", 2006.
class bloom_filter {
public:
  /// `expected_keys` sizes the first layer; at least 1,024 are assumed.
  explicit bloom_filter(size_t expected_keys = 1024);

  void add(std::string_view key);
  bool maybe_contains(std::string_view key) const;

  /// Keys added, counting one that was added when maybe present already once.
  size_t size() const;
  size_t memory_bytes() const;

  /// Bytes of the filter, format 1, with a checksum.
  std::string encode() const;
  /// Nothing if damaged or of a newer format.
  static std::optional<bloom_filter> decode(std::string_view bytes);

private:
  struct layer {
    std::vector<uint64_t> bits;
    uint32_t probes = 0;
    size_t capacity = 0;
    size_t used = 0;
  };

  void add_layer(size_t capacity);

  std::vector<layer> layers_;
};

} // namespace covey::core
