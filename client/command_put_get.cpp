// covey put, get and delete.

#include "client/base64.hpp"
#include "client/commands.hpp"
#include "client/json_lines.hpp"
#include "client/report.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace covey::client {

namespace {

// More than any node takes: stops a runaway pipe before memory ends.
constexpr size_t max_stdin_bytes = 256 << 20;

bool read_stdin(std::string& out) {
  char buffer[1 << 16];
  while (auto n = std::fread(buffer, 1, sizeof(buffer), stdin)) {
    out.append(buffer, n);
    if (out.size() > max_stdin_bytes) {
      errno = EFBIG;
      return false;
    }
  }
  return std::ferror(stdin) == 0;
}

bool write_stdout(const std::string& bytes) {
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
}

int flush_stdout(const options& opts, int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)
    return code;
  std::fprintf(stderr,
               "covey: %s: cannot write to stdout: %s. Check where it goes.\n",
               opts.command.c_str(), std::strerror(errno));
  return exits::unavailable;
}

int finish_write(const options& opts, const result& r) {
  if (!r.ok())
    return report(opts.command, {r.code, r.text, true, r.maybe_written});
  if (!opts.json)
    return exits::done;
  nlohmann::ordered_json object;
  object["context"] = base64_encode(r.context);
  object["acked"] = r.acked;
  object["needed"] = r.needed;
  object["homes"] = r.homes;
  write_stdout(object.dump() + '\n');
  return flush_stdout(opts, exits::done);
}

} // namespace

int run_put(const options& opts, client& kv) {
  auto value = opts.value;
  if (opts.value_from_stdin) {
    value.clear();
    if (!read_stdin(value)) {
      std::fprintf(stderr,
                   "covey: put: cannot read stdin: %s. Check what it is "
                   "connected to.\n",
                   std::strerror(errno));
      return exits::usage;
    }
  }
  return finish_write(opts, kv.put(opts.key, std::move(value), opts.request));
}

int run_delete(const options& opts, client& kv) {
  auto how = opts.request;
  // A delete replaces only what its context has seen: without one it would
  // leave every value where it is, and still succeed.
  if (how.context.empty()) {
    auto start = std::chrono::steady_clock::now();
    auto seen = kv.get(opts.key, how);
    if (!seen.ok())
      return report(opts.command, {seen.code, seen.text, true, false});
    how.context = seen.context;
    how.timeout -= std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - start);
  }
  return finish_write(opts, kv.remove(opts.key, how));
}

int run_get(const options& opts, client& kv) {
  auto r = kv.get(opts.key, opts.request);
  if (!r.ok())
    return report(opts.command, {r.code, r.text, false, false});
  if (r.values.empty()) {
    std::fprintf(stderr,
                 "covey: get: not found: the key has no value in keyspace "
                 "'%s'.\n",
                 opts.request.keyspace.c_str());
    return exits::not_found;
  }
  auto code = r.values.size() == 1 ? exits::done : exits::siblings;
  if (opts.json) {
    for (auto& value : r.values) {
      nlohmann::ordered_json object;
      set_bytes(object, "key", opts.key);
      set_bytes(object, "value", value);
      object["context"] = base64_encode(r.context);
      write_stdout(object.dump() + '\n');
    }
  } else if (code == exits::done) {
    write_stdout(r.values.front());
    if (::isatty(STDOUT_FILENO) == 1)
      write_stdout("\n");
  } else {
    std::fprintf(stderr,
                 "covey: get: %zu siblings: use --json, then put with "
                 "--context.\n",
                 r.values.size());
  }
  return flush_stdout(opts, code);
}

} // namespace covey::client
