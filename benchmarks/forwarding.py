"""What the benchmarks of forwarding share: configurations of our server and of the OpenTelemetry Collector, a destination that discards
all, and what /metrics tells."""

import http.client
import json
import os
import re
import subprocess

from servers import ROOT, Server, free_address

COLLECTOR_CONFIG = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "{grpc}", max_recv_msg_size_mib: 64}}, http: {{endpoint: "{http}"}}}}}}}}
processors: {{batch: {{}}}}
exporters: {{otlp: {{endpoint: "{destination}", compression: "{compression}", tls: {{insecure: true}}}}}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [otlp]}}
    metrics: {{receivers: [otlp], processors: [batch], exporters: [otlp]}}
    logs: {{receivers: [otlp], processors: [batch], exporters: [otlp]}}
"""


def start_destination(build, directory, grpc="127.0.0.1:0"):
    """A server that takes and discards all; it says at its end how much came."""
    directory.mkdir(parents=True, exist_ok=True)
    return Server([build / "benchmarks/discard_server", grpc, "127.0.0.1:0"], directory)


def received_bytes(destination):
    """After its end."""
    return int(re.search(r"received \d+ requests, (\d+) bytes", destination.log_path.read_text())[1])


def start_ours(build, directory, destination=None, keys=None, **forwarding):
    """Our server, which forwards to this address; where it is None, it only stores."""
    directory.mkdir(parents=True, exist_ok=True)
    config = {"output_dir": str(directory / "data"), "grpc": {"address": "127.0.0.1:0"}, "http": {"address": "127.0.0.1:0"},
              "flight": {"enabled": False}} | (keys or {})
    if destination:
        config["forwarding"] = [{"endpoint": f"http://{destination}", "protocol": "grpc"} | forwarding]
    path = directory / "otlp-arrow.yaml"
    path.write_text(json.dumps(config))  # JSON is YAML
    return Server([build / "bin/otlp-arrow", "serve", "--config", path], directory)


def collector_program():
    """$OTELCOL_BIN, or what tools/collector/build.sh has built; None where there is none."""
    if os.environ.get("OTELCOL_BIN"):
        return os.environ["OTELCOL_BIN"]
    told = subprocess.run([ROOT / "tools/collector/build.sh", "--path"], capture_output=True, text=True)
    return told.stdout.strip() if told.returncode == 0 else None


def start_collector(directory, destination, compression):
    directory.mkdir(parents=True, exist_ok=True)
    grpc, http = free_address(), free_address()
    config = directory / "collector.yaml"
    config.write_text(COLLECTOR_CONFIG.format(grpc=grpc, http=http, destination=destination, compression=compression))
    # What its batch processor and queue hold must be sent before SIGTERM.
    return Server([collector_program(), "--config", config], directory, grpc, http, settle_secs=1)


def run_load(build, address, flags, seconds):
    """What the load generator tells."""
    load = subprocess.run([build / "benchmarks/load_generator", "--address", address, "--seconds", str(seconds), *flags.split()],
                          capture_output=True, text=True)
    if not load.stdout:
        raise SystemExit(f"the load generator failed: {load.stderr}")
    return json.loads(load.stdout)


def kill(*servers):
    for server in servers:
        if server and server.process.returncode is None:
            server.process.kill()
            server.process.wait()


def forward_metrics(server):
    """Sums of otlp_arrow_forward_* over all destinations and signals, by name (items by state)."""
    connection = http.client.HTTPConnection(server.http, timeout=10)
    connection.request("GET", "/metrics")
    sums = {}
    for name, labels, value in re.findall(r"^otlp_arrow_forward_(\w+)\{(.*)\} (\S+)$", connection.getresponse().read().decode(), re.MULTILINE):
        state = re.search(r'state="(\w+)"', labels)
        key = state[1] if name == "items_total" and state else name
        sums[key] = sums.get(key, 0) + float(value)
    connection.close()
    return sums
