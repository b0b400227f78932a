#!/usr/bin/env bash
# Prints the Debian packages that hold the libraries of programs, a line each: what an image needs to run them.
#
#   packaging/runtime_packages.sh PROGRAM...
#
# Libraries that no package holds, such as those beside the program, are left out; one that cannot be found is an error.
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: packaging/runtime_packages.sh PROGRAM..." >&2; exit 2; }
for program in "$@"; do
  libraries=$(ldd "$program")
  if grep 'not found' <<<"$libraries" >&2; then
    echo "runtime_packages.sh: $program does not find these" >&2
    exit 1
  fi
  awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\// {print $1}' <<<"$libraries"
done | sort -u | while read -r library; do
  # Debian's merged /usr: dpkg may know the file under either name.
  owner=$(dpkg-query -S "$library" 2>/dev/null || dpkg-query -S "/usr$library" 2>/dev/null ||
          dpkg-query -S "$(readlink -f "$library")" 2>/dev/null || true)
  [ -z "$owner" ] || cut -d: -f1 <<<"$owner"
done | sort -u
