#!/bin/sh
# Fails when a folder includes what it may not. The rule table is the document.
set -eu

allow() { # allow <folder> <extended regex of permitted quoted folders> <banned angle headers>
  find "$1" -name '*.?pp' -exec grep -HnE '^#include "' {} + 2>/dev/null \
    | grep -vE "#include \"($2)/" && bad=1
  [ -z "$3" ] || { find "$1" -name '*.?pp' -exec grep -HnE "^#include <($3)" {} + && bad=1; }
  return 0
}

bad=0
allow core     'core'                                'caf/|google/|wiredtiger|spdlog|thread|mutex|fstream|iostream|chrono'
allow messages 'messages|core'                       'wiredtiger|spdlog'
allow storage  'storage|core'                        'caf/|google/|spdlog'
allow actors   'actors|messages|core|storage'        'caf/io/|openssl|wiredtiger|fstream|iostream|thread|mutex'
allow runtime  'runtime|actors|messages|storage|core' 'wiredtiger|openssl'
allow client   'client|messages|core'                'wiredtiger|spdlog|openssl'
allow bench    'bench|client|messages|core|storage|actors|runtime' ''
# The actors of the data path know no sockets.
grep -HnE '#include "messages/network/' actors/*.?pp && bad=1
# covey-bench is a client like any other.
grep -HnE '^#include "' bench/*.?pp | grep -vE '#include "(bench|client|messages|core)/' && bad=1
# Within storage, one file knows the engine's API.
grep -rlE '#include <wiredtiger' storage | grep -v '^storage/wiredtiger' && bad=1
# Only the shard and the flusher touch the engine.
grep -lE '#include "storage/' actors/*.?pp | grep -vE 'actors/(storage_shard|shard_identity|shard_trees|shard_versions|flusher)' && bad=1
exit $bad
