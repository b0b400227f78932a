#!/bin/bash
# Is the service in this container ready? Ends with 0 or 1. With TLS on HTTP, whether it takes connections is all that can be asked.
set -u
trap '' PIPE  # who hangs up is not ready, which is told below
address=${OTLP_HTTP_ADDRESS:-127.0.0.1:4318}
port=${address##*:}
exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
[ -z "${OTLP_TLS_CERT_FILE:-}${OTLP_HTTP_TLS_CERT_FILE:-}" ] || exit 0
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3 || exit 1
IFS= read -r -t 5 -u 3 status || exit 1
[[ $status == HTTP/1.1\ 200* ]]
