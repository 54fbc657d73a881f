// Entry point of the test binaries that know no actor messages.

#define CAF_TEST_NO_MAIN
#include <caf/test/unit_test.hpp>
#include <caf/test/unit_test_impl.hpp>

int main(int argc, char** argv) {
  return caf::test::main(argc, argv);
}
