#include "messages/registration.hpp"

#include "messages/errors.hpp"
#include "messages/handles.hpp"

namespace covey {

system_config::system_config() {
  add_message_types<caf::id_block::covey>();
  // The one-argument overload of 0.17.6 does not compile.
  add_error_category(caf::atom("covey"), render_error);
}

} // namespace covey
