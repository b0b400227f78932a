#!/usr/bin/env bash
# What goes into the image: DIRECTORY/usr, and DIRECTORY/packages with the Debian packages that the program needs.
#
#   packaging/docker/build.sh DIRECTORY
#
# BUILD (default build/image) is the build directory, JOBS the number of compilers at a time.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$1
build=${BUILD:-build/image}
cmake --preset release -B "$build" -DOTLP_ARROW_BUILD_TESTS=OFF -DOTLP_ARROW_BUILD_BENCHMARKS=OFF -DOTLP_ARROW_BUILD_PYTHON=OFF \
  -DOTLP_ARROW_BUILD_OPENTELEMETRY=OFF -DOTLP_ARROW_BUNDLE_ARROW=ON
cmake --build "$build" -j "${JOBS:-$(nproc)}" --target otlp-arrow otlp_arrow_manual
cmake --install "$build" --prefix "$out/usr" --component program --strip
packaging/runtime_packages.sh "$out/usr/bin/otlp-arrow" >"$out/packages"
