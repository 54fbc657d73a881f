// The one header an actor test includes: CAF's DSL with our types registered.

#pragma once

// test_coordinator_fixture::request() uses this macro and does not define it.
#define FAIL CAF_FAIL

#include "messages/errors.hpp"
#include "messages/handles.hpp"
#include "messages/registration.hpp"

#include <caf/test/dsl.hpp>

namespace covey::test {

/// A system on virtual time: nothing runs until the test says so. Actors with
/// timers must have ended before it is destroyed, which fires every timeout.
using fixture = test_coordinator_fixture<system_config>;

} // namespace covey::test
