#!/usr/bin/env bash
# Makes a private CA, a certificate for each node and one for clients.
#
# usage: scripts/make-certs.sh [FOLDER [NODE...]]
#
# FOLDER is ./data/certs if not given, the nodes are n1, n2 and n3. Nothing is
# overwritten: with FOLDER/ca.key in place, certificates that are missing are
# made, and the others stay.
set -euo pipefail

folder=${1:-data/certs}
[ $# -eq 0 ] || shift
nodes=("$@")
[ ${#nodes[@]} -gt 0 ] || nodes=(n1 n2 n3)
days=825

fail() {
  echo "make-certs: $*" >&2
  exit 1
}

command -v openssl >/dev/null || fail "openssl is not installed: run make setup"
for name in "${nodes[@]}"; do
  [[ $name =~ ^[A-Za-z0-9._-]{1,64}$ ]] || fail "\"$name\" is not the name of a node"
  [[ $name != ca && $name != client ]] || fail "\"$name\" is taken; name the node otherwise"
done

# Keys are for their owner alone.
umask 077
mkdir -p "$folder"
cd "$folder"

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

if [ ! -e ca.key ]; then
  [ ! -e ca.crt ] || fail "$folder has ca.crt but no ca.key: use another folder"
  new_key ca.key
  openssl req -x509 -new -key ca.key -sha256 -days 3650 -out ca.crt -subj "/CN=covey private CA" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
    -addext "keyUsage=critical,keyCertSign,cRLSign"
fi

issue() { # issue NAME USAGE
  [ ! -e "$1.crt" ] && [ ! -e "$1.key" ] || return 0
  new_key "$1.key.new"
  openssl req -new -key "$1.key.new" -subj "/CN=$1" |
    openssl x509 -req -in /dev/stdin -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 16)" \
      -sha256 -days "$days" -out "$1.crt.new" -extfile <(
        echo "basicConstraints=critical,CA:FALSE"
        echo "keyUsage=critical,digitalSignature"
        echo "extendedKeyUsage=$2"
      ) 2>/dev/null
  mv "$1.key.new" "$1.key"
  mv "$1.crt.new" "$1.crt"
  made+=("$1")
}

made=()
for name in "${nodes[@]}"; do
  issue "$name" serverAuth,clientAuth
done
issue client clientAuth

[ ${#made[@]} -gt 0 ] || fail "$folder has them all already; remove what shall be made anew"
here=$(pwd)
echo "make-certs: made ${made[*]} in $here, valid for $days days"
cat <<TEXT

In the configuration of each node (here of ${nodes[0]}):

  [security]
  certificate = "$here/${nodes[0]}.crt"
  key = "$here/${nodes[0]}.key"
  ca-file = "$here/ca.crt"

For the covey command:

  export COVEY_TLS_CERT=$here/client.crt COVEY_TLS_KEY=$here/client.key COVEY_TLS_CA=$here/ca.crt

Keep ca.key away from the nodes: whoever has it can join the cluster.
TEXT
