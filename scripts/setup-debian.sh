#!/usr/bin/env bash
# Installs the Debian 12 packages that covey is built with, if any is missing.
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache mold clang-format clang-tidy make git pkg-config
  python3 libcaf-dev libwiredtiger-dev libspdlog-dev libfmt-dev
  protobuf-compiler libprotobuf-dev libcli11-dev nlohmann-json3-dev
  libxxhash-dev libmimalloc-dev libbenchmark-dev libssl-dev openssl
)

if ! command -v dpkg-query >/dev/null; then
  echo "setup: not a Debian system; please install what these packages hold: ${packages[*]}"
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: missing packages, and neither root nor sudo to install them: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "setup: installs ${missing[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120)
"${apt[@]}" update
"${apt[@]}" install -y --no-install-recommends "${missing[@]}"
