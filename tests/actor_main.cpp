// Entry point of the test binaries that know our actor messages.

#define CAF_TEST_NO_MAIN
#include "tests/test.hpp"

#include <caf/test/unit_test_impl.hpp>

int main(int argc, char** argv) {
  return caf::test::main(argc, argv);
}
