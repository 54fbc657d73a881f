#define CAF_SUITE core.phi_detector

#include "core/phi_detector.hpp"

#include <caf/test/unit_test.hpp>

#include <cmath>

using namespace covey::core;

namespace {

bool near(double x, double y, double tolerance) {
  return std::abs(x - y) <= tolerance + 1e-9;
}

phi_config plain() {
  phi_config out;
  out.expected_ms = 1000;
  out.min_deviation_ms = 100;
  return out;
}

} // namespace

CAF_TEST(the normal model gives the values that Akka publishes) {
  const std::pair<double, double> published[]
    = {{0, 0.0},    {500, 0.1},   {1000, 0.3}, {1200, 1.6},
       {1400, 4.7}, {1600, 10.8}, {1700, 15.3}};
  for (auto [elapsed, phi] : published)
    CAF_CHECK(near(phi_normal(elapsed, 1000, 100), phi, 0.1));
}

CAF_TEST(the exponential model gives the values that Cassandra publishes) {
  phi_config config;
  config.expected_ms = 111;
  config.model = phi_model::exponential;
  phi_detector detector{config, 0};
  for (uint64_t beat = 111; beat <= 555; beat += 111)
    detector.heard(beat);
  // Its first estimate has the mean of the beats.
  CAF_CHECK(near(detector.mean_ms(), 111, 0.5));
  CAF_CHECK(near(detector.phi(666, 0), 1.0, 0.01));
  CAF_CHECK(near(detector.phi(3000, 0), 22.03, 0.1));
}

CAF_TEST(before the first beat the expected interval is assumed) {
  phi_detector detector{plain(), 5000};
  CAF_CHECK_EQUAL(detector.mean_ms(), 1000);
  CAF_CHECK_EQUAL(detector.deviation_ms(), 250);
  CAF_CHECK(!detector.alarmed(6000, 0));
  CAF_CHECK(detector.alarmed(8000, 0));
}

CAF_TEST(regular beats never make a small delay alarming) {
  phi_detector detector{plain(), 0};
  uint64_t now = 0;
  for (int i = 0; i < 300; ++i)
    detector.heard(now += 1000);
  CAF_CHECK_EQUAL(detector.deviation_ms(), 100);
  CAF_CHECK(!detector.alarmed(now + 1400, 0));
  CAF_CHECK(detector.alarmed(now + 1700, 0));
}

CAF_TEST(an outage is not learnt) {
  phi_detector detector{plain(), 0};
  uint64_t now = 0;
  for (int i = 0; i < 20; ++i)
    detector.heard(now += 1000);
  auto mean = detector.mean_ms();
  detector.heard(now += 60'000);
  CAF_CHECK_EQUAL(detector.mean_ms(), mean);
  CAF_CHECK(!detector.alarmed(now + 1000, 0));
  detector.heard(now += 1200);
  CAF_CHECK(detector.mean_ms() > mean);
}

CAF_TEST(an accepted pause moves the alarm by as much) {
  phi_detector detector{plain(), 0};
  uint64_t now = 0;
  for (int i = 0; i < 200; ++i)
    detector.heard(now += 1000);
  CAF_CHECK(!detector.alarmed(now + 4400, 3000));
  CAF_CHECK(detector.alarmed(now + 4700, 3000));
}

CAF_TEST(what was forgiven is neither held against the peer nor learnt) {
  phi_detector detector{plain(), 0};
  detector.heard(1000);
  detector.heard(2000);
  detector.forgive(60'000);
  CAF_CHECK(!detector.alarmed(61'000, 0));
  auto mean = detector.mean_ms();
  detector.heard(60'010);
  CAF_CHECK_EQUAL(detector.mean_ms(), mean);
  detector.heard(60'510);
  CAF_CHECK(detector.mean_ms() < mean);
}

CAF_TEST(old intervals are forgotten) {
  phi_detector detector{plain(), 0};
  uint64_t now = 0;
  for (int i = 0; i < 100; ++i)
    detector.heard(now += 1000);
  for (int i = 0; i < 100; ++i)
    detector.heard(now += 500);
  CAF_CHECK(near(detector.mean_ms(), 500, 0.001));
}

CAF_TEST(beats more and less regular than expected are told apart) {
  phi_detector jittery{plain(), 0};
  uint64_t now = 0;
  for (int i = 0; i < 100; ++i)
    jittery.heard(now += i % 2 == 0 ? 600 : 1400);
  CAF_CHECK(near(jittery.deviation_ms(), 400, 5));
  CAF_CHECK(!jittery.alarmed(now + 2000, 0));
}
