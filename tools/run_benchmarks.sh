#!/usr/bin/env bash
# Runs each benchmark of the release build, and those written in Python. docs/performance.md says what each one asks.
set -euo pipefail
cd "$(dirname "$0")/.."
shopt -s nullglob
for benchmark in build/release/benchmarks/* benchmarks/*.py; do
  [ -x "$benchmark" ] && [ -f "$benchmark" ] || [[ $benchmark = *.py ]] || continue
  echo
  echo "== $benchmark"
  case $benchmark in
    *.py) .venv/bin/python "$benchmark" ;;
    *) "$benchmark" ;;
  esac
done
