#!/usr/bin/env bash
# Each public header compiles alone, and twice in a row, without a warning.
#
#   tools/check_headers.sh [ROOT]      the compiler is $CXX, or c++
set -uo pipefail
root=${1:-$(dirname "$0")/..}
cd "$root/include" || exit 1
headers=()
while IFS= read -r header; do
  if [[ $header = otlp_arrow/opentelemetry_* ]] && ! echo '#include <opentelemetry/version.h>' | ${CXX:-c++} -fsyntax-only -x c++ - 2>/dev/null; then
    continue  # that SDK is not there
  fi
  headers+=("$header")
done < <(find . -name '*.h' | sed 's|^\./||' | sort)
if [ ${#headers[@]} = 0 ]; then
  echo "check_headers: there are no headers below $PWD" >&2
  exit 1
fi

check() {
  printf '#include "%s"\n#include "%s"\n' "$1" "$1" |
    ${CXX:-c++} -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Werror -I . -x c++ - || {
    echo "$1 does not compile alone" >&2
    echo failed
  }
}
export -f check
failed=$(printf '%s\0' "${headers[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'check "$0"' | wc -l)
echo "check_headers: ${#headers[@]} public headers, $failed failed"
[ "$failed" = 0 ]
