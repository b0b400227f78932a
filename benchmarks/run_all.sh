#!/usr/bin/env bash
# Runs every benchmark, one after the other; the first comment of each file says which question it answers.
#
#   benchmarks/run_all.sh [--quick] [BUILD_DIR]      BUILD_DIR is build/release unless given
#
# --quick: one short round each, to see that all of them work. OTELCOL_BIN may name an OpenTelemetry Collector to be measured beside ours.
set -uo pipefail
cd "$(dirname "$0")/.."
quick=()
build=build/release
for argument in "$@"; do
  case $argument in
    --quick) quick=(--quick) ;;
    -*) echo "run_all.sh: unknown option $argument; allowed are --quick and a build directory" >&2; exit 2 ;;
    *) build=$argument ;;
  esac
done
[ -d "$build/benchmarks" ] || { echo "run_all.sh: there are no benchmarks in $build; build them: cmake --preset release && cmake --build --preset release" >&2; exit 2; }
python=.venv/bin/python
[ -x "$python" ] || python=python3

# The question: the sentences up to the question mark, without the comment signs.
question() { sed -n '/^\/\/ \|^"""/,/?/{s,^// ,,;s/^"""//;p;/?/q}' "$1" | tr '\n' ' '; }

failed=()
for source in benchmarks/*_benchmark.cc benchmarks/*_benchmark.py; do
  name=$(basename "${source%.*}")
  printf '\n== %s: %s\n' "$name" "$(question "$source")"
  case $source in
    *.py) "$python" "$source" --build "$build" ${quick[@]+"${quick[@]}"} ;;
    *) "$build/benchmarks/$name" ${quick[@]+"${quick[@]}"} ;;
  esac || failed+=("$name")
done
if [ ${#failed[@]} -gt 0 ]; then
  printf '\nfailed: %s\n' "${failed[*]}" >&2
  exit 1
fi
