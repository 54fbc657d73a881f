#include "storage/engine.hpp"

namespace covey::storage {

const char* to_string(status x) {
  switch (x) {
    case status::ok:
      return "ok";
    case status::not_found:
      return "not_found";
    case status::disk_full:
      return "disk_full";
    case status::failed:
      return "failed";
  }
  return "invalid";
}

} // namespace covey::storage
