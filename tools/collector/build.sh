#!/usr/bin/env bash
# Builds the OpenTelemetry Collector of build.yaml with its own builder, and prints the path of the program. Built once: the
# program stays in ${XDG_CACHE_HOME:-~/.cache}/otlp-arrow, under a name that changes with build.yaml and with this script.
#
#   tools/collector/build.sh            build it, unless it is there
#   tools/collector/build.sh --path     only say where it is; exit code 1 where it is not built
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's/.*otlpreceiver \(v[0-9.]*\)$/\1/p' "$here/build.yaml")
digest=$(cat "$here/build.yaml" "$here/build.sh" | sha256sum | cut -c1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/otlp-arrow
program=$cache/otelcol-$version-$digest

if [ "${1:-}" = --path ]; then
  echo "$program"
  [ -x "$program" ]
  exit
fi
[ $# = 0 ] || { echo "collector: unknown argument $1; allowed is --path" >&2; exit 2; }

mkdir -p "$cache"
exec 9>"$cache/collector.lock"
flock 9  # another run may be building it
if [ -x "$program" ]; then
  echo "$program"
  exit
fi

go=$(command -v go || ls -d /usr/local/go/bin/go 2>/dev/null) || {
  echo "collector: needs Go 1.21 or later to build the OpenTelemetry Collector, and there is none; tools/setup.sh installs it" >&2
  exit 1
}
work=$(mktemp -d "${TMPDIR:-/tmp}/otelcol-build.XXXXXX")
trap 'rm -rf "$work"' EXIT
# An older Go fetches the release that the Collector's modules ask for.
export GOFLAGS=-mod=mod GOTOOLCHAIN=auto GOWORK=off CGO_ENABLED=0
build() {
  GOBIN=$work "$go" install "go.opentelemetry.io/collector/cmd/builder@$version" || return
  cd "$work"
  "$work/builder" --skip-get-modules --skip-compilation --config "$here/build.yaml" || return
  cd source
  # The builder's own way is `go mod tidy`, which also wants what the tests of all modules need.
  rm -f go.mod go.sum
  "$go" mod init otelcol || return
  while read -r module module_version; do
    "$go" mod edit -require="$module@$module_version" || return
  done < <(sed -n 's/.*gomod: //p' "$here/build.yaml"; echo "go.opentelemetry.io/collector/otelcol $version")
  "$go" build -trimpath -ldflags '-s -w' -o "$work/otelcol" .
}
if ! (build) >"$work/log" 2>&1; then
  tail -20 "$work/log" >&2
  echo "collector: the OpenTelemetry Collector $version could not be built; the lines above say why" >&2
  exit 1
fi
mv "$work/otelcol" "$program"
echo "$program"
