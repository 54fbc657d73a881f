// Which of many numbered keys is used next.

#pragma once

#include <cstdint>
#include <random>

namespace covey::bench {

/// The same numbers with every standard library, so that a seed means the same
/// everywhere.
using random_source = std::mt19937_64;

/// In [0, 1), of 53 random bits.
double uniform_real(random_source& random);
/// In [0, n), n > 0. Its bias is below n / 2^64.
uint64_t uniform_below(random_source& random, uint64_t n);

/// FNV-1a of the eight bytes of `x`, lowest first.
uint64_t fnv_hash(uint64_t x);

/// Ranks from 0 to n-1 with a probability proportional to 1 / (rank + 1)^theta.
/// Ranks 0 and 1 are drawn exactly so, the others approximately.
///
/// Source: J. Gray, P. Sundaresan, S. Englert, K. Baclawski, P. J. Weinberger,
/// "Quickly Generating Billion-Record Synthetic Databases", SIGMOD 1994.
class zipfian {
public:
  static constexpr double default_theta = 0.99;

  /// Takes time in proportion to n > 0; 0 < theta < 1.
  explicit zipfian(uint64_t n, double theta = default_theta);
  /// Like it, for an n whose sum 1 / i^theta over 1 <= i <= n is known.
  zipfian(uint64_t n, double theta, double zeta);

  uint64_t operator()(random_source& random) const;
  /// Raises n, in time proportional to the difference.
  void grow(uint64_t n);
  uint64_t size() const {
    return n_;
  }

private:
  void prepare();

  uint64_t n_;
  double theta_;
  double zeta_;
  double eta_ = 0;
};

/// Zipfian ranks, scattered over all keys: the popular ones are no neighbours.
/// As in YCSB (ScrambledZipfianGenerator): theta is 0.99, ranks come from ten
/// billion, hashed modulo the number of keys.
class scrambled_zipfian {
public:
  scrambled_zipfian();
  /// In [0, n), n > 0.
  uint64_t operator()(random_source& random, uint64_t n) const;

private:
  zipfian ranks_;
};

/// The newer, the more popular, by zipfian ranks from the newest. As in YCSB
/// (SkewedLatestGenerator).
class latest {
public:
  explicit latest(uint64_t n);
  /// In [0, n), n > 0; n never shrinks from call to call.
  uint64_t operator()(random_source& random, uint64_t n);

private:
  zipfian ranks_;
};

} // namespace covey::bench
