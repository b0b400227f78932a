#!/usr/bin/env bash
# Builds the program with AddressSanitizer and UndefinedBehaviorSanitizer and drives it from outside with tests of tests/e2e.
#
#   tools/run_sanitized_service.sh [PYTEST_ARGUMENT...]     else those in which clients, files and the disk misbehave
#
# A fault, or a leak at its end, ends the program with another code than its tests expect, and its log tells of it.
# JOBS is the number of compilers at a time.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset asan-ubsan >/dev/null
cmake --build --preset asan-ubsan -j "${JOBS:-$(nproc)}" --target otlp-arrow

# Libraries that are not built with the sanitizers: their own memory is not ours to judge.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_container_overflow=0:exitcode=99}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$PWD/tests/lsan_suppressions.txt:print_suppressions=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export OTLP_ARROW_BIN=$PWD/build/asan-ubsan/bin/otlp-arrow
(( $# )) || set -- tests/e2e/test_hostile.py tests/e2e/test_fleet.py tests/e2e/test_protocol.py tests/e2e/test_damage.py
.venv/bin/python -m pytest -q --timeout=300 "$@"
