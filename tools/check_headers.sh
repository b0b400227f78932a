#!/usr/bin/env bash
# Each public header compiles alone, and twice in a row, without a warning.
#
#   tools/check_headers.sh [ROOT]      the compiler is $CXX, or c++
set -uo pipefail
root=${1:-$(dirname "$0")/..}
cd "$root/include" || exit 1
count=0 failed=0
while IFS= read -r header; do
  if [ "$header" = otlp_arrow/opentelemetry_exporters.h ] && ! echo '#include <opentelemetry/version.h>' | ${CXX:-c++} -fsyntax-only -x c++ - 2>/dev/null; then
    continue  # that SDK is not there
  fi
  count=$((count + 1))
  printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
    ${CXX:-c++} -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Werror -I . -x c++ - || {
    echo "$header does not compile alone" >&2
    failed=$((failed + 1))
  }
done < <(find . -name '*.h' | sed 's|^\./||' | sort)
if [ "$count" = 0 ]; then
  echo "check_headers: there are no headers below $PWD" >&2
  exit 1
fi
echo "check_headers: $count public headers, $failed failed"
[ "$failed" = 0 ]
