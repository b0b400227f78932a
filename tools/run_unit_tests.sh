#!/usr/bin/env bash
# Builds unit tests with a CMake preset and runs them.
#
#   tools/run_unit_tests.sh PRESET             all
#   tools/run_unit_tests.sh PRESET LAYER...    those of some layers: storage, server/grpc, ...; and opentelemetry_exporters, opentelemetry_sdk
#
# JOBS is the number of compilers and tests at a time. What each test said is in build/reports/PRESET/.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
jobs=${JOBS:-$(nproc)}

targets=() pattern=
for layer in "$@"; do
  if [[ $layer = opentelemetry_* ]]; then
    [ -e /usr/include/opentelemetry/sdk ] || { echo "opentelemetry-cpp is not installed: $layer is not tested"; continue; }
  elif [ -z "$(find "src/$layer" -name '*_test.cc' -print -quit)" ]; then
    echo "src/$layer has no unit tests"
    continue
  fi
  name=${layer//\//_}
  targets+=("${name}_test")
  pattern+=${pattern:+|}$name
done

cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" -j "$jobs" ${targets:+--target "${targets[@]}"}

# Libraries that are not built with the sanitizers: their own memory is not ours to judge.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_container_overflow=0}
export TSAN_OPTIONS=${TSAN_OPTIONS:-suppressions=$PWD/tests/tsan_suppressions.txt history_size=4 die_after_fork=0}  # forked children of the tests have threads of their own
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
# What is asked for must be there.
there=$(ctest --preset "$preset" -N ${pattern:+-R "^($pattern)$"} | grep -c '^ *Test *#' || true)
[ "$there" -ge "${#targets[@]}" ] && [ "$there" -gt 0 ] || { echo "run_unit_tests.sh: of ${#targets[@]} programs of tests CTest knows $there: $pattern"; exit 1; }
rm -rf "build/reports/$preset"
GTEST_OUTPUT="xml:$PWD/build/reports/$preset/" ctest --preset "$preset" -j "$jobs" ${pattern:+-R "^($pattern)$"}
