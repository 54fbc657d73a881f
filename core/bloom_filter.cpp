#include "core/bloom_filter.hpp"

#include "core/bytes.hpp"
#include "core/check.hpp"
#include "core/hash.hpp"

#include <algorithm>

namespace covey::core {

namespace {

constexpr size_t min_capacity = 1024;
constexpr size_t max_capacity = size_t{1} << 36;
constexpr size_t max_layers = 32;
constexpr std::string_view magic = "CVBF";
constexpr uint8_t format = 1;

// Layer i has a false positive rate of 0.002 * 0.8^i, so that all of them
// together stay below 0.01. Halving would start smaller, but pass 2.5 bytes a
// key after a few layers. In thousandths, and in integers since the shape of a
// layer is part of the format: log2(1 / rate) and log2(1 / rate) / ln 2.
// DO NOT CHANGE: stored filters depend on it.
uint32_t probes_of(size_t layer) {
  return static_cast<uint32_t>((8966 + 322 * layer + 500) / 1000);
}

size_t words_of(size_t layer, size_t capacity) {
  return (capacity * (12935 + 465 * layer) / 1000 + 63) / 64;
}

/// The bits of a key in any layer. Source: Kirsch and Mitzenmacher, 2006.
class bit_sequence {
public:
  explicit bit_sequence(std::string_view key) : position_(hash64(key)) {
    // Odd multiplier and shift of MurmurHash3's finalizer; odd, so that no two
    // of the first 2^64 positions are equal.
    auto x = position_;
    x = (x ^ x >> 33) * 0xff51afd7ed558ccd;
    step_ = (x ^ x >> 33) | 1;
  }

  /// The next bit among `bits`.
  size_t next(size_t bits) {
    __extension__ using wide = unsigned __int128;
    auto result = static_cast<size_t>(wide{position_} * bits >> 64);
    position_ += step_;
    return result;
  }

private:
  uint64_t position_;
  uint64_t step_;
};

bool all_set(const std::vector<uint64_t>& bits, uint32_t probes,
             bit_sequence sequence) {
  for (uint32_t i = 0; i < probes; ++i) {
    auto bit = sequence.next(bits.size() * 64);
    if ((bits[bit / 64] >> bit % 64 & 1) == 0)
      return false;
  }
  return true;
}

} // namespace

bloom_filter::bloom_filter(size_t expected_keys) {
  COVEY_CHECK(expected_keys <= max_capacity);
  add_layer(std::max(expected_keys, min_capacity));
}

void bloom_filter::add_layer(size_t capacity) {
  COVEY_CHECK(layers_.size() < max_layers);
  layer x;
  x.bits.resize(words_of(layers_.size(), capacity));
  x.probes = probes_of(layers_.size());
  x.capacity = capacity;
  layers_.push_back(std::move(x));
}

void bloom_filter::add(std::string_view key) {
  if (maybe_contains(key))
    return;
  if (layers_.back().used == layers_.back().capacity)
    add_layer(layers_.back().capacity * 2);
  auto& x = layers_.back();
  bit_sequence sequence{key};
  for (uint32_t i = 0; i < x.probes; ++i) {
    auto bit = sequence.next(x.bits.size() * 64);
    x.bits[bit / 64] |= uint64_t{1} << bit % 64;
  }
  ++x.used;
}

bool bloom_filter::maybe_contains(std::string_view key) const {
  bit_sequence sequence{key};
  // The newest layer holds about half of the keys.
  return std::any_of(layers_.rbegin(), layers_.rend(), [&](const layer& x) {
    return all_set(x.bits, x.probes, sequence);
  });
}

size_t bloom_filter::size() const {
  size_t result = 0;
  for (auto& x : layers_)
    result += x.used;
  return result;
}

size_t bloom_filter::memory_bytes() const {
  size_t result = sizeof(*this) + layers_.capacity() * sizeof(layer);
  for (auto& x : layers_)
    result += x.bits.capacity() * sizeof(uint64_t);
  return result;
}

std::string bloom_filter::encode() const {
  std::string result;
  result.reserve(memory_bytes() + 64);
  byte_writer out{result};
  out.raw(magic);
  out.u8(format);
  out.varint(layers_.front().capacity);
  out.varint(layers_.size());
  for (auto& x : layers_) {
    out.varint(x.used);
    for (auto word : x.bits)
      out.u64(word);
  }
  out.u64(hash64(result));
  return result;
}

std::optional<bloom_filter> bloom_filter::decode(std::string_view bytes) {
  constexpr size_t checksum_size = 8;
  if (bytes.size() < checksum_size)
    return std::nullopt;
  auto body = bytes.substr(0, bytes.size() - checksum_size);
  byte_reader checksum{bytes.substr(body.size())};
  if (checksum.u64() != hash64(body))
    return std::nullopt;
  byte_reader in{body};
  if (in.raw(magic.size()) != magic || in.u8() != format)
    return std::nullopt;
  auto capacity = static_cast<size_t>(in.varint());
  auto layers = in.varint();
  if (!in.ok() || capacity < min_capacity || capacity > max_capacity
      || layers == 0 || layers > max_layers)
    return std::nullopt;
  bloom_filter result{min_capacity};
  result.layers_.clear();
  for (uint64_t i = 0; i < layers; ++i, capacity *= 2) {
    auto used = static_cast<size_t>(in.varint());
    // All layers but the last are full. Memory is taken only for bits that are
    // there; doubling cannot overflow before they run out.
    if (!in.ok() || used > capacity || (i + 1 < layers && used < capacity)
        || words_of(i, capacity) > in.remaining() / sizeof(uint64_t))
      return std::nullopt;
    result.add_layer(capacity);
    auto& x = result.layers_.back();
    x.used = used;
    for (auto& word : x.bits)
      word = in.u64();
  }
  if (!in.done())
    return std::nullopt;
  return result;
}

} // namespace covey::core
