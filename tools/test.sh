#!/usr/bin/env bash
# Everything that a change must pass, from a clean clone on: what `make test` runs. A step that fails does not keep
# the next ones from running, unless they need it.
#
# JOBS: compilers at a time; FUZZ_SECONDS: for each fuzzer.
set -uo pipefail
cd "$(dirname "$0")/.."
export JOBS=${JOBS:-$(nproc)}
export CCACHE_NOHASHDIR=1  # the wheel's build finds what the release build compiled
failed=()

step() {
  local name=$1 start=$SECONDS
  shift
  echo
  echo "== $name: $*"
  if "$@"; then
    echo "== $name: done in $((SECONDS - start)) s"
  else
    echo "== $name: FAILED after $((SECONDS - start)) s"
    failed+=("$name")
    return 1
  fi
}

wheel() { tools/build_wheel.sh build/wheel && export OTLP_ARROW_WHEEL=$(ls "$PWD"/build/wheel/*.whl); }
build() { cmake --preset release && cmake --build --preset release -j "$JOBS"; }

finish() {
  echo
  .venv/bin/python tools/test_summary.py build/reports "${failed[@]}"
  exit
}

rm -rf build/reports
mkdir -p build/reports/pytest
step setup tools/setup.sh || exit 1
step layers tools/check_includes.py
step headers tools/check_headers.sh
step build build || finish
step "unit tests" tools/run_unit_tests.sh release
step collector tools/collector/build.sh
step e2e .venv/bin/python -m pytest -q --junitxml=build/reports/pytest/e2e.xml tests/e2e
step wheel wheel
step python .venv/bin/python -m pytest -q --timeout=300 --junitxml=build/reports/pytest/python.xml tests/python
step pytest .venv/bin/python -m pytest -q --timeout=300 --junitxml=build/reports/pytest/others.xml tests --ignore=tests/e2e --ignore=tests/python
step fuzzers tools/run_fuzzers.sh "${FUZZ_SECONDS:-10}"
# A short round, because compiling takes the time: the parts that read foreign bytes, and those whose threads and processes share
# memory. `make sanitize` runs all. Under ThreadSanitizer the gRPC tests report what the uninstrumented gRPC library hands over
# between its threads.
step asan-ubsan tools/run_unit_tests.sh asan-ubsan otlp ring schema storage server/http
step tsan tools/run_unit_tests.sh tsan ring forward pipeline
finish
