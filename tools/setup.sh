#!/usr/bin/env bash
# Installs what the build and the tests need and is not there yet: Debian packages through apt,
# Python packages into .venv. Safe to run again; does nothing when all is in place.
#
#   tools/setup.sh            everything
#   tools/setup.sh --check    say what is missing and stop
set -euo pipefail
cd "$(dirname "$0")/.."

# What the product and its tests are built from, by Debian 12 package name.
packages=(
  g++ cmake ninja-build make pkg-config git ca-certificates python3 python3-venv
  libgrpc++-dev libgrpc-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libprotozero-dev
  libboost-dev libyaml-cpp-dev libcli11-dev libspdlog-dev libfmt-dev libssl-dev libsimdjson-dev
  libxxhash-dev libzstd-dev zlib1g-dev libdeflate-dev libgtest-dev libgmock-dev
  clang-19 libclang-rt-19-dev llvm-19 ccache openssl
)
# These are only in the backports suite.
backports=(opentelemetry-cpp-dev libopentelemetry-proto-dev)
# For tools/collector/build.sh, which also looks where Go's own archive is unpacked to.
command -v go >/dev/null || [ -x /usr/local/go/bin/go ] || backports+=(golang-go)

is_installed() { dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'; }

missing=() missing_backports=()
if command -v dpkg-query >/dev/null; then
  for p in "${packages[@]}"; do is_installed "$p" || missing+=("$p"); done
  for p in "${backports[@]}"; do is_installed "$p" || missing_backports+=("$p"); done
else
  echo "setup: this is no Debian system; install by hand what docs/development.md lists" >&2
fi

if [ "${1:-}" = --check ]; then
  echo "missing packages: ${missing[*]:-none} ${missing_backports[*]:-}"
  exit $(( ${#missing[@]} + ${#missing_backports[@]} > 0 ))
fi

if (( ${#missing[@]} + ${#missing_backports[@]} )); then
  sudo=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "setup: needs root, or sudo, to install: ${missing[*]} ${missing_backports[*]}" >&2; exit 1; }
    sudo=(sudo)
  fi
  export DEBIAN_FRONTEND=noninteractive
  if (( ${#missing_backports[@]} )); then
    suite="$(. /etc/os-release && echo "$VERSION_CODENAME")-backports"
    if ! grep -rqs "$suite" /etc/apt/sources.list /etc/apt/sources.list.d/; then
      # The same mirror that the machine already uses for its main suite.
      mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' "Codename: ${suite%-backports}" 2>/dev/null | head -1)
      [ -n "$mirror" ] || mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/ | grep -v snapshot | head -1 | tr -d ' ')
      [ -n "$mirror" ] || { echo "setup: no Debian mirror found in the apt sources to take $suite from" >&2; exit 1; }
      echo "deb $mirror $suite main" | "${sudo[@]}" tee /etc/apt/sources.list.d/otlp-arrow-backports.list >/dev/null
    fi
  fi
  "${sudo[@]}" apt-get update -qq
  (( ! ${#missing[@]} )) || "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  (( ! ${#missing_backports[@]} )) || "${sudo[@]}" apt-get install -y -qq --no-install-recommends -t "$suite" "${missing_backports[@]}" >/dev/null
fi

# Python: the Arrow C++ libraries come from the pyarrow wheel; the rest is for the tests.
stamp=.venv/.requirements
if ! cmp -s requirements-dev.txt "$stamp"; then
  [ -x .venv/bin/python ] || python3 -m venv .venv
  .venv/bin/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
  # Wheels carry only versioned library names; the linker is given these directly (see cmake/).
  cp requirements-dev.txt "$stamp"
fi
