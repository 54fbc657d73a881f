// Bytes of answers that a node has in memory, against a limit.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace covey::core {

/// Counts what its charges hold. Shared by the actors of a node: relaxed, it
/// orders nothing, so that concurrent charges may pass the limit by as many
/// answers as there are threads.
class answer_budget {
public:
  explicit answer_budget(uint64_t limit) : limit_(limit) {}

  /// True if `bytes` more may be held. Something larger than the limit may be
  /// held alone, or it could never be answered.
  bool admits(uint64_t bytes) const {
    auto now = held();
    return now == 0 || now + bytes <= limit_;
  }
  /// The same for what begins a read. The other half is for what completes
  /// those begun, or all would hold a record and wait for room for the next.
  bool admits_first(uint64_t bytes) const {
    auto now = held();
    return now == 0 || now + bytes <= limit_ / 2;
  }
  uint64_t held() const {
    return held_.load(std::memory_order_relaxed);
  }
  uint64_t limit() const {
    return limit_;
  }

private:
  friend class answer_charge;
  void add(uint64_t bytes) {
    held_.fetch_add(bytes, std::memory_order_relaxed);
  }
  void subtract(uint64_t bytes) {
    held_.fetch_sub(bytes, std::memory_order_relaxed);
  }

  std::atomic<uint64_t> held_{0};
  uint64_t limit_;
};

/// Bytes of a budget, held while this lives. A copy holds as much again, as the
/// bytes that it stands for do.
class answer_charge {
public:
  answer_charge() = default;
  answer_charge(std::shared_ptr<answer_budget> budget, uint64_t bytes)
    : budget_(std::move(budget)), bytes_(bytes) {
    if (budget_)
      budget_->add(bytes_);
  }
  answer_charge(const answer_charge& x) : answer_charge(x.budget_, x.bytes_) {}
  answer_charge(answer_charge&& x) noexcept
    : budget_(std::move(x.budget_)), bytes_(std::exchange(x.bytes_, 0)) {}
  answer_charge& operator=(answer_charge x) noexcept {
    std::swap(budget_, x.budget_);
    std::swap(bytes_, x.bytes_);
    return *this;
  }
  ~answer_charge() {
    if (budget_)
      budget_->subtract(bytes_);
  }

  uint64_t bytes() const {
    return bytes_;
  }
  /// Holds `bytes` from now on.
  void resize(uint64_t bytes) {
    if (budget_) {
      budget_->add(bytes);
      budget_->subtract(bytes_);
    }
    bytes_ = bytes;
  }
  /// Takes over what `x` holds of the same budget.
  void absorb(answer_charge x) {
    if (!budget_)
      *this = std::move(x);
    else
      bytes_ += std::exchange(x.bytes_, 0);
  }

private:
  std::shared_ptr<answer_budget> budget_;
  uint64_t bytes_ = 0;
};

} // namespace covey::core
