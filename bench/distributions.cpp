#include "bench/distributions.hpp"

#include <algorithm>
#include <cmath>

namespace covey::bench {

namespace {

/// Of YCSB's ScrambledZipfianGenerator, and the sum that belongs to it.
constexpr uint64_t scrambled_ranks = 10'000'000'000;
constexpr double scrambled_zeta = 26.46902820178302;

/// The sum of 1 / i^theta over first <= i <= last.
double zeta_between(uint64_t first, uint64_t last, double theta) {
  double sum = 0;
  for (auto i = first; i <= last; ++i)
    sum += 1 / std::pow(static_cast<double>(i), theta);
  return sum;
}

} // namespace

double uniform_real(random_source& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
}

uint64_t uniform_below(random_source& random, uint64_t n) {
  return random() % n;
}

uint64_t fnv_hash(uint64_t x) {
  uint64_t result = 0xcbf29ce484222325;
  for (int i = 0; i < 8; ++i) {
    result ^= x & 0xff;
    result *= 1099511628211;
    x >>= 8;
  }
  return result;
}

zipfian::zipfian(uint64_t n, double theta)
  : zipfian(n, theta, zeta_between(1, n, theta)) {}

zipfian::zipfian(uint64_t n, double theta, double zeta)
  : n_(n), theta_(theta), zeta_(zeta) {
  prepare();
}

void zipfian::prepare() {
  auto zeta_of_two = 1 + std::pow(0.5, theta_);
  auto n = static_cast<double>(n_);
  // One or two ranks never get as far as eta.
  eta_ = n_ <= 2
           ? 0
           : (1 - std::pow(2 / n, 1 - theta_)) / (1 - zeta_of_two / zeta_);
}

uint64_t zipfian::operator()(random_source& random) const {
  auto u = uniform_real(random);
  auto uz = u * zeta_;
  if (uz < 1 || n_ == 1)
    return 0;
  if (uz < 1 + std::pow(0.5, theta_) || n_ == 2)
    return 1;
  auto n = static_cast<double>(n_);
  auto rank = n * std::pow(eta_ * u - eta_ + 1, 1 / (1 - theta_));
  return std::min(static_cast<uint64_t>(rank), n_ - 1);
}

void zipfian::grow(uint64_t n) {
  if (n <= n_)
    return;
  zeta_ += zeta_between(n_ + 1, n, theta_);
  n_ = n;
  prepare();
}

scrambled_zipfian::scrambled_zipfian()
  : ranks_(scrambled_ranks, zipfian::default_theta, scrambled_zeta) {}

uint64_t scrambled_zipfian::operator()(random_source& random,
                                       uint64_t n) const {
  return fnv_hash(ranks_(random)) % n;
}

latest::latest(uint64_t n) : ranks_(n) {}

uint64_t latest::operator()(random_source& random, uint64_t n) {
  ranks_.grow(n);
  // More ranks than keys only if n shrank, which it does not.
  return n - 1 - std::min(ranks_(random), n - 1);
}

} // namespace covey::bench
