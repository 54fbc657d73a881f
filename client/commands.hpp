// The commands: each does its work and returns the exit code.

#pragma once

#include "client/client.hpp"
#include "client/options.hpp"

namespace covey::client {

int run_put(const options& opts, client& kv);
int run_get(const options& opts, client& kv);
int run_delete(const options& opts, client& kv);
int run_import(const options& opts, client& kv);
int run_export(const options& opts, client& kv);
int run_status(const options& opts, client& kv);
int run_members(const options& opts, client& kv);
int run_keyspace(const options& opts, client& kv);
int run_ring(const options& opts, client& kv);
int run_repair(const options& opts, client& kv);
/// Has connections of its own.
int run_watch(const options& opts);

} // namespace covey::client
