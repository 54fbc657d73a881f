#include "tests/storage/crash/power_loss_undo.hpp"

#include "storage/file_system.hpp"
#include "tests/storage/crash/power_loss.h"

#include <cstring>
#include <fcntl.h>
#include <map>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace covey::storage::crash {

namespace {

struct written {
  uint64_t position = 0;
  std::string path;
  uint64_t offset = 0;
  std::string_view replaced;
};

} // namespace

uint64_t undo_unsynced_writes(const std::string& journal) {
  std::string error;
  auto bytes = read_file(journal, error).value_or("");
  std::vector<written> writes;
  std::map<std::string, uint64_t> synced;
  for (size_t at = 0; at + sizeof(power_loss_entry) <= bytes.size();) {
    power_loss_entry entry;
    std::memcpy(&entry, &bytes[at], sizeof(entry));
    auto path_at = at + sizeof(entry);
    auto end = path_at + entry.path_length + entry.length;
    // The process may have died while it wrote the last entry: then it had not
    // begun the write itself.
    if (end > bytes.size())
      break;
    auto path = bytes.substr(path_at, entry.path_length);
    if (entry.kind == power_loss_write)
      writes.push_back({at, path, entry.offset,
                        std::string_view{bytes}.substr(
                          path_at + entry.path_length, entry.length)});
    else if (synced[path] < entry.mark)
      synced[path] = entry.mark;
    at = end;
  }
  uint64_t undone = 0;
  for (auto x = writes.rbegin(); x != writes.rend(); ++x) {
    if (x->position < synced[x->path])
      continue;
    // The file may have been removed since.
    int file = ::open(x->path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0)
      continue;
    if (write_at(file, x->replaced, x->offset))
      ++undone;
    ::close(file);
  }
  return undone;
}

} // namespace covey::storage::crash
