#!/usr/bin/env bash
# Builds the libFuzzer targets (preset fuzz, clang 19) and runs each for a while.
#
#   tools/run_fuzzers.sh SECONDS [TARGET...]
#
# Inputs that reach new code are kept in build/fuzz/inputs/TARGET for the next run; one that crashes is kept in
# build/fuzz/crashes/ and named in the output: `build/fuzz/fuzz/TARGET FILE` runs it again.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "${JOBS:-$(nproc)}" --target "${@:-fuzzers}"
(( $# )) || set -- $(find src -name '*_fuzzer.cc' -printf '%f\n' | sed 's/\.cc$//' | sort)

export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
mkdir -p build/fuzz/crashes build/reports/fuzz
rm -f build/reports/fuzz/*
failed=0
for target in "$@"; do
  inputs=build/fuzz/inputs/$target corpus=tests/fuzz/corpus/$target log=build/reports/fuzz/$target.log
  mkdir -p "$inputs"
  [ -d "$corpus" ] || corpus=
  echo "$target, $seconds s"
  if "build/fuzz/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix=build/fuzz/crashes/ \
      "$inputs" $corpus >"$log" 2>&1; then
    tail -n 1 "$log"
    touch "build/reports/fuzz/$target.passed"
  else
    cat "$log"
    touch "build/reports/fuzz/$target.failed"
    failed=1
  fi
done
exit $failed
