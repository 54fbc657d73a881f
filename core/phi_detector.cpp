#include "core/phi_detector.hpp"

#include <algorithm>
#include <cmath>

namespace covey::core {

double phi_normal(double elapsed_ms, double mean_ms, double deviation_ms) {
  auto y = (elapsed_ms - mean_ms) / deviation_ms;
  auto e = std::exp(-y * (1.5976 + 0.070566 * y * y));
  if (elapsed_ms > mean_ms)
    return -std::log10(e / (1 + e));
  return -std::log10(1 - 1 / (1 + e));
}

double phi_exponential(double elapsed_ms, double mean_ms) {
  return elapsed_ms / mean_ms;
}

phi_detector::phi_detector(const phi_config& config, uint64_t now_ms)
  : config_(config), last_ms_(now_ms) {
  // The estimate before the first beat: two samples whose mean is what is
  // expected and whose deviation is a quarter of it.
  learn(config_.expected_ms - config_.expected_ms / 4);
  learn(config_.expected_ms + config_.expected_ms / 4);
}

void phi_detector::heard(uint64_t now_ms) {
  auto interval = silence_ms(now_ms);
  if (!broken_ && phi_of(static_cast<double>(interval)) < config_.threshold)
    learn(interval);
  broken_ = false;
  last_ms_ = std::max(now_ms, last_ms_);
}

void phi_detector::forgive(uint64_t now_ms) {
  broken_ = true;
  last_ms_ = std::max(now_ms, last_ms_);
}

double phi_detector::phi(uint64_t now_ms, uint64_t pause_ms) const {
  auto silence = silence_ms(now_ms);
  return phi_of(static_cast<double>(silence - std::min(silence, pause_ms)));
}

double phi_detector::mean_ms() const {
  return sum_ / static_cast<double>(std::min(samples_, window_.size()));
}

double phi_detector::deviation_ms() const {
  auto n = static_cast<double>(std::min(samples_, window_.size()));
  auto mean = sum_ / n;
  return std::max(std::sqrt(std::max(squares_ / n - mean * mean, 0.0)),
                  static_cast<double>(config_.min_deviation_ms));
}

double phi_detector::phi_of(double elapsed_ms) const {
  return config_.model == phi_model::normal
           ? phi_normal(elapsed_ms, mean_ms(), deviation_ms())
           : phi_exponential(elapsed_ms, mean_ms());
}

void phi_detector::learn(uint64_t interval_ms) {
  auto& place = window_[samples_ % window_.size()];
  if (samples_ >= window_.size()) {
    auto old = static_cast<double>(place);
    sum_ -= old;
    squares_ -= old * old;
  }
  place = static_cast<uint32_t>(std::min<uint64_t>(interval_ms, UINT32_MAX));
  auto x = static_cast<double>(place);
  sum_ += x;
  squares_ += x * x;
  ++samples_;
}

} // namespace covey::core
