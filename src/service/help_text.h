// What --help says beyond the list of options.
#pragma once

namespace otlp_arrow {

inline constexpr const char* kProgramDescription =
    R"(otlp-arrow receives OpenTelemetry data (traces, metrics, logs) and keeps it as Apache Arrow files,
which pandas, Polars, DuckDB and anything else that knows Arrow open directly.)";

inline constexpr const char* kProgramFooter = R"(
Record:
  otlp-arrow serve --output-dir ./telemetry
  # then point any OpenTelemetry SDK or Collector at it:
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317 your-program                                          # gRPC
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf your-program  # HTTP

Look at it (Python):
  import pyarrow.dataset as ds, duckdb, polars
  spans = ds.dataset('telemetry/otlp/traces', format='arrow')
  spans.to_table().to_pandas()                                               # pandas
  duckdb.sql('SELECT service_name, name, avg(duration_ns) FROM spans GROUP BY ALL ORDER BY 3 DESC')
  polars.scan_ipc('telemetry/otlp/traces/*.arrow').filter(polars.col('status_code') == 'ERROR').collect()

Look at it (shell):
  otlp-arrow inspect ./telemetry            # what is there: files, rows, times, services, losses
  otlp-arrow inspect ./telemetry --schema   # the columns

Collect from the shared-memory files of instrumented programs, alive or dead:
  otlp-arrow collect --input FILE --output-dir ./telemetry

Send it on to another backend:
  otlp-arrow replay ./telemetry --endpoint http://collector:4317

Data is deleted after a while: traces after 10 minutes, metrics and logs after an hour. To keep it:
  otlp-arrow serve --output-dir ./telemetry --trace-cleanup-interval-secs 0 --metric-cleanup-interval-secs 0 \
                   --log-cleanup-interval-secs 0

'otlp-arrow COMMAND --help' explains each command; 'man otlp-arrow' is all of it.

Exit codes:
  0   done
  1   failed
  2   wrong usage or configuration
)";

inline constexpr const char* kServeFooter = R"(
Each setting can also stand in a YAML file (--config) or in the environment: --grpc-address is the key
grpc.address in YAML and the variable OTLP_GRPC_ADDRESS. Flags win over the environment, that over YAML.
Sizes take suffixes: 64MiB, 1GB, 512k.

Examples:
  otlp-arrow serve --output-dir ./telemetry
  otlp-arrow serve --grpc-address 0.0.0.0:4317 --no-http --compression lz4
  otlp-arrow serve --config otlp.yaml --check-config     # say what would happen, and where each setting is from
  otlp-arrow serve --tls-cert-file server.pem --tls-key-file server.key --auth-bearer-tokens '${file:/run/token}'
  curl http://127.0.0.1:4318/v1/logs -H 'Content-Type: application/json' -d @logs.json
  curl http://127.0.0.1:4318/readyz                      # 200 while data is taken; /healthz, /metrics

Signals:
  SIGTERM, SIGINT (Ctrl-C)   write what is under way and end; a second one ends at once, and what was not
                             written yet is recovered from the journal at the next start
  SIGHUP                     read the configuration, certificates and secrets again; each setting that changed
                             is logged, with those that take effect only at the next start. A configuration that
                             is wrong changes nothing. (Where the terminal went away, SIGHUP ends the service.)

Files:
  OUTPUT_DIR/otlp/{traces,metrics,logs}/   the data, in .arrow or .parquet files; with compaction.partition in
                                           folders such as date=2026-01-31/hour=23
  OUTPUT_DIR/journal/                      what was acknowledged and is in no file yet
  OUTPUT_DIR/forward/, ledger/, damaged/   what is still to be forwarded; counts of losses; what could not be read
  OUTPUT_DIR/compact/                      merges under way

Environment:
  OTLP_...                       settings, as said above
  OTLP_ARROW_CONFIG              the YAML file, where --config is not given
  OTLP_FORWARDING_...            a destination, instead of those in YAML (docs/forwarding.md)
  NOTIFY_SOCKET, WATCHDOG_USEC   set by systemd (Type=notify): told when the service is ready, reloads, stops, and
                                 that it is alive

Exit codes:
  0     ended in an orderly way, everything is written; --check-config: the service would start
  1     failed, or not everything could be written in time: it stays in the journal
  2     wrong usage or configuration; nothing was started
  130   a second SIGINT ended it; 143: a second SIGTERM
)";

inline constexpr const char* kReplayFooter = R"(
Examples:
  otlp-arrow replay ./telemetry --endpoint http://127.0.0.1:4317
  otlp-arrow replay ./telemetry --endpoint https://otlp.example.com/otlp --protocol http --gzip --header "api-key=…"
  otlp-arrow replay ./telemetry --endpoint http://127.0.0.1:4318 --signal traces --since 15m --rate 5000
  otlp-arrow replay ./telemetry --endpoint http://127.0.0.1:4317 --dry-run    # read and count, send nothing
  otlp-arrow replay ./telemetry --endpoint http://127.0.0.1:4317 --max-in-flight 8 --resume-file sent.txt
  otlp-arrow replay ./telemetry --endpoint grpc+tls://flight.example.com:4319 --bearer-token '${file:/run/token}'

Started again after an interruption it goes on where it was, if it has a --resume-file; without one it begins anew,
and sending the same data twice makes it arrive twice. The exit code is 0 only if everything was taken.
)";

inline constexpr const char* kCollectFooter = R"(
An OTLP-MMAP file is shared memory that a program writes its telemetry into; it outlives the program, however that
ends. This command reads such files, puts spans together, adds measurements up, and stores all of it, or sends it to a
backend. What a program that died left unfinished is kept too: such spans carry the attribute otlp_arrow.incomplete.
Beside each FILE stands FILE.collector, which is what a later start needs to go on where this one ended.

Without --input, the file is the one that SDK_MMAP_EXPORTER_FILE names; without --output-dir, --config and
--otlp-endpoint, data goes to OTEL_EXPORTER_OTLP_ENDPOINT where that is set, else to ./output_dir.

Examples:
  otlp-arrow collect --input /dev/shm/shop.mmap --output-dir ./telemetry
  otlp-arrow collect --input /var/run/telemetry --otlp-endpoint http://127.0.0.1:4317    # all files of a directory
  otlp-arrow collect --input crashed.mmap --once                                         # what a dead program left

Ctrl-C or SIGTERM hands on what is there and ends. A second one, or SIGKILL, ends at once and loses nothing.
)";

inline constexpr const char* kInspectFooter = R"(
Examples:
  otlp-arrow inspect ./telemetry
  otlp-arrow inspect ./telemetry/otlp/traces/20240506T070809Z-1a2b3c-000001.arrow --schema
  otlp-arrow inspect ./telemetry --json | jq .signals.traces.rows
  otlp-arrow inspect /dev/shm/shop.mmap --records 50    # what a program records, or had recorded when it died
)";

inline constexpr const char* kRecoverFooter = R"(
A writer that was killed leaves a journal with what it had accepted and not yet written. The next 'serve' on
the directory adopts it by itself; this command does so without serving. It is safe to run at any time and
any number of times: nothing is stored twice, and journals of running writers are left alone.
)";

}  // namespace otlp_arrow
