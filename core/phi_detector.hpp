// Phi accrual: how surprising it is not to have heard of a peer yet.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace covey::core {

/// -log10 of the probability that a beat comes later than `elapsed_ms`, if the
/// intervals are normally distributed. Source: Hayashibara et al., "The phi
/// accrual failure detector"; the logistic approximation of the normal
/// distribution is the one that Akka uses.
double phi_normal(double elapsed_ms, double mean_ms, double deviation_ms);

/// `elapsed_ms` in units of the mean: the exponential model as Cassandra
/// computes it, without its constant factor.
double phi_exponential(double elapsed_ms, double mean_ms);

enum class phi_model : uint8_t { normal, exponential };

struct phi_config {
  /// Interval to expect before any was seen.
  uint64_t expected_ms = 500;
  /// Regular intervals do not make a short delay alarming.
  uint64_t min_deviation_ms = 100;
  /// Phi from here on means an outage.
  double threshold = 8;
  phi_model model = phi_model::normal;
};

/// Learns the intervals between the signs of life of one peer. Times are of a
/// monotonic clock.
class phi_detector {
public:
  /// Begins at `now_ms` as if the peer had just been heard.
  phi_detector(const phi_config& config, uint64_t now_ms);

  /// A sign of life. An interval that was an outage is never learnt.
  void heard(uint64_t now_ms);
  /// What was not heard until now proves nothing: we did not listen.
  void forgive(uint64_t now_ms);
  /// Suspicion now, if silences of `pause_ms` more than usual are accepted.
  double phi(uint64_t now_ms, uint64_t pause_ms) const;
  bool alarmed(uint64_t now_ms, uint64_t pause_ms) const {
    return phi(now_ms, pause_ms) >= config_.threshold;
  }
  uint64_t silence_ms(uint64_t now_ms) const {
    return now_ms > last_ms_ ? now_ms - last_ms_ : 0;
  }
  double mean_ms() const;
  double deviation_ms() const;

private:
  double phi_of(double elapsed_ms) const;
  void learn(uint64_t interval_ms);

  phi_config config_;
  std::array<uint32_t, 100> window_{};
  size_t samples_ = 0;
  double sum_ = 0;
  double squares_ = 0;
  uint64_t last_ms_;
  /// The interval that goes on is none: it began without a beat.
  bool broken_ = true;
};

} // namespace covey::core
