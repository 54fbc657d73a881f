// Arbitrary text either is refused or survives its canonical form.

#include "core/check.hpp"
#include "core/epoch.hpp"

using namespace covey::core;

namespace {

void try_replication(std::string_view text) {
  auto x = parse_replication(text);
  if (!x)
    return;
  COVEY_CHECK(x->replicas() >= 1 && x->replicas() <= 16);
  auto canonical = to_string(*x);
  // Sorting keeps the size: nothing in the text was ignored.
  COVEY_CHECK(canonical.size() == text.size());
  auto y = parse_replication(canonical);
  COVEY_CHECK(y && to_string(*y) == canonical);
  COVEY_CHECK(y->total == x->total && y->per_data_centre == x->per_data_centre);
}

void try_consistency(std::string_view text) {
  auto x = parse_consistency(text);
  if (!x)
    return;
  auto canonical = to_string(*x);
  COVEY_CHECK(canonical.size() == text.size());
  auto y = parse_consistency(canonical);
  COVEY_CHECK(y && y->level == x->level && y->count == x->count);
  COVEY_CHECK((x->level == consistency_level::number) == (x->count > 0));
}

void try_uuid(std::string_view text) {
  auto x = parse_uuid(text);
  if (!x)
    return;
  auto canonical = to_string(*x);
  COVEY_CHECK(canonical.size() == text.size());
  COVEY_CHECK(parse_uuid(canonical) == x);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  try_replication(text);
  try_consistency(text);
  try_uuid(text);
  return 0;
}
