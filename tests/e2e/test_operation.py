"""Running it as a service: reloading, what a supervisor is told, logs, metrics, manual, health."""

import contextlib
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

import otlp
import prometheus
from harness import BINARY, ROOT, environment, run, wait_for


def reload(server):
    """SIGHUP, and what is logged until it is done."""
    before = server.log()
    server.process.send_signal(signal.SIGHUP)
    done = lambda: re.search(r"configuration read: |the configuration stays as it is", server.log()[len(before) :])
    wait_for(done, what="the end of the reload")
    return server.log()[len(before) :]


@pytest.fixture
def config(tmp_path):
    """Writes the configuration file."""
    file = tmp_path / "otlp.yaml"

    def write(text):
        file.write_text(text)
        return file

    return write


# --- SIGHUP -------------------------------------------------------------------------------------------------------------


def test_reload_says_what_takes_effect_and_what_does_not(serve, directory, config):
    server = serve(directory, "--config", config("log_level: info\ntrace_cleanup_interval_secs: 600\nworkers: 1\n"))
    config("log_level: debug\ntrace_cleanup_interval_secs: 60\nworkers: 2\nshutdown_timeout_secs: 7\n")
    said = reload(server)
    assert re.search(r"info trace_cleanup_interval_secs: 600 -> 60\n", said), said
    assert re.search(r"info log_level: info -> debug\n", said), said
    assert re.search(r"warning workers: 1 -> 2; .*next start", said), said
    assert "4 settings changed, 1 at the next start" in said
    said = reload(server)
    assert "workers: 1 -> 2" in said and "log_level" not in said, "what waits for a restart is said again, the rest is in force"
    assert "for at most 7 s" in server.stop()


def test_a_wrong_configuration_changes_nothing(serve, directory, config):
    file = config("write_interval_secs: 1\nlog_level: info\n")
    server = serve(directory, "--config", file)
    for wrong, why in [("log_level: loud\n", "'loud' is unknown"), ("a: [", f"{file}:"), ("max_file_bytes: 1\n", "out of range"), (None, "cannot open")]:
        file.unlink() if wrong is None else config(wrong)
        said = reload(server)
        assert why in said and "the configuration stays as it is" in said, said
    assert server.get("/readyz")[0] == 200
    values = prometheus.parse(server.get("/metrics")[1])
    assert values["otlp_arrow_config_reloads_total", ("result", "failed")] == 4
    assert values["otlp_arrow_config_reloads_total", ("result", "ok")] == 0
    config("write_interval_secs: 1\nlog_level: warn\n")
    assert "log_level: info -> warn" not in reload_quietly(server), "info is no longer logged"
    server.stop()


def reload_quietly(server):
    """A reload whose end is not logged."""
    server.process.send_signal(signal.SIGHUP)
    count = lambda: prometheus.parse(server.get("/metrics")[1])["otlp_arrow_config_reloads_total", ("result", "ok")]
    wait_for(lambda: count() == 1, what="the reload")
    return server.log()


def test_reload_under_load_loses_nothing(serve, directory, config):
    server = serve(directory, "--config", config("write_interval_secs: 1\n"))
    with otlp.GrpcSender(server.grpc) as sender:
        for n in range(20):
            sender.export("traces", otlp.request("traces", 10, first=1 + 10 * n))
            config(f"write_interval_secs: 1\nmemory_budget: {64 + n}MiB\nmax_total_bytes: {n}GiB\nself_telemetry: false\n")
            server.process.send_signal(signal.SIGHUP)
    server.stop()
    found = json.loads(run("inspect", "--json", directory).stdout)
    assert found["signals"]["traces"]["rows"] == 200


def test_shorter_retention_takes_effect(serve, directory, config):
    server = serve(directory, "--config", config("write_interval_secs: 1\ntrace_cleanup_interval_secs: 0\n"))
    with otlp.GrpcSender(server.grpc) as sender:
        sender.export("traces", otlp.request("traces", 10))
    files = directory / "otlp" / "traces"
    wait_for(lambda: list(files.glob("*.arrow")), what="a file")
    config("write_interval_secs: 1\ntrace_cleanup_interval_secs: 1\n")
    reload(server)
    wait_for(lambda: not list(files.glob("*.arrow")), timeout=20, what="its deletion")
    wait_for(lambda: server.ledger()["traces"]["expired"] == 10, what="its items to be counted as expired")


def test_secrets_are_replaced_and_never_logged(serve, directory, config, tmp_path):
    token = tmp_path / "token"
    token.write_text("first-secret\n")
    file = config(f"auth:\n  bearer_tokens: ['${{file:{token}}}', 'spare-secret']\n")
    server = serve(directory, "--config", file, "--log-level", "debug")
    get = lambda secret: status_of(server.http, "/metrics", {"Authorization": f"Bearer {secret}"})
    assert get("first-secret") == 200 and get("wrong") == 401 and get("second-secret") == 401
    token.write_text("second-secret\n")
    config(f"auth:\n  bearer_tokens: ['${{file:{token}}}']\n")
    assert "auth.bearer_tokens: <hidden>,<hidden> -> <hidden>" in reload(server)
    assert get("second-secret") == 200 and get("first-secret") == 401 and get("spare-secret") == 401
    token.unlink()
    assert "this stays as it was" in reload(server)
    assert get("second-secret") == 200
    assert "-secret" not in server.stop()


def status_of(address, path, headers):
    import http.client

    with contextlib.closing(http.client.HTTPConnection(address, timeout=10)) as connection:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status


def test_a_service_ends_with_its_terminal_but_a_daemon_does_not(serve, directory, tmp_path):
    daemon = serve(directory, preexec_fn=os.setsid)
    reload(daemon)
    assert daemon.alive()
    daemon.stop()

    pid, terminal = pty.fork()
    if pid == 0:
        log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
        os.dup2(log, 2)
        os.execve(BINARY, ["otlp-arrow", "serve", "--output-dir", str(tmp_path / "t"), "--no-grpc", "--no-flight", "--http-address", "127.0.0.1:0"], environment())
    try:
        wait_for(lambda: "is ready" in (tmp_path / "log").read_text() if (tmp_path / "log").exists() else False, timeout=20, what="the start")
        os.close(terminal)  # the user closes the window
        wait_for(lambda: "ended" in (tmp_path / "log").read_text(), timeout=20, what="the end")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


# --- systemd ------------------------------------------------------------------------------------------------------------


class NotifySocket:
    """Where systemd would listen."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)

    def next(self):
        """The fields of the next message."""
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def until(self, key):
        while key not in (fields := self.next()):
            pass
        return fields


def test_systemd_is_told(serve, directory, config, tmp_path):
    notify = NotifySocket(tmp_path / "notify")
    server = serve(directory, "--config", config("workers: 1\n"), env={"NOTIFY_SOCKET": notify.path, "WATCHDOG_USEC": "200000"}, ready=False)
    assert "recovering" in notify.next()["STATUS"]
    assert notify.next()["READY"] == "1"
    server.wait_ready()
    for _ in range(3):
        assert "items received" in notify.until("WATCHDOG")["STATUS"]
    server.process.send_signal(signal.SIGHUP)
    reloading = notify.until("RELOADING")
    assert int(reloading["MONOTONIC_USEC"]) > 0
    assert notify.until("READY")["READY"] == "1"
    server.process.send_signal(signal.SIGTERM)
    stopping = notify.until("STOPPING")
    assert int(stopping["EXTEND_TIMEOUT_USEC"]) >= 30_000_000
    assert server.process.wait(20) == 0


def test_the_unit_is_one(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    unit = tmp_path / "otlp-arrow.service"
    text = (ROOT / "packaging/systemd/otlp-arrow.service.in").read_text().replace("@bindir@", str(BINARY.parent))
    unit.write_text("\n".join(line for line in text.splitlines() if not line.startswith("Documentation=")))
    result = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert result.returncode == 0 and result.stderr == "", result.stderr


def test_the_configuration_that_is_installed_is_one(tmp_path):
    result = run("serve", "--config", ROOT / "packaging/otlp-arrow.yaml", "--output-dir", tmp_path / "d", "--check-config")
    assert result.returncode == 0 and result.stderr == "", result.stderr


# --- logs ---------------------------------------------------------------------------------------------------------------


def test_json_logs(serve, directory, config):
    server = serve(directory, "--config", config("log_format: json\n"), ready=False)
    lines = lambda: [json.loads(line) for line in server.log().splitlines(keepends=True) if line.endswith("\n")]
    wait_for(lambda: any("is ready" in line["message"] for line in lines()), timeout=20, what="the start")
    start = next(line for line in lines() if "is ready" in line["message"])
    assert start["level"] == "info" and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", start["time"])
    fields = start["fields"]
    assert fields["pid"] == server.process.pid and fields["output_dir"] == str(directory) and {"grpc", "http", "flight", "version"} <= set(fields)
    config("log_format: json\nlog_level: debug\n")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: any("configuration read" in line["message"] for line in lines()), what="the reload")
    change = next(line for line in lines() if line.get("fields", {}).get("key") == "log_level")
    assert change["fields"] == {"key": "log_level", "from": "info", "to": "debug", "effect": "now"}
    config("log_format: text\n")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "info log_format: json -> text" in server.log(), what="lines of text")
    server.stop()


# --- --check-config -----------------------------------------------------------------------------------------------------


def test_check_config_says_what_would_happen(tmp_path):
    result = run("serve", "--check-config", "--output-dir", tmp_path / "t", "--no-flight", "--auth-bearer-tokens", "${env:TOKEN}", TOKEN="hidden-secret")
    assert result.returncode == 0, result.stderr
    assert "# - listens on 127.0.0.1:4317 for OTLP/gRPC: no TLS; callers need a bearer token" in result.stdout
    assert f"# - writes arrow files (zstd) to {tmp_path / 't'}/otlp" in result.stdout
    assert "hidden-secret" not in result.stdout + result.stderr and not (tmp_path / "t").exists()


def test_check_config_finds_all_that_is_in_the_way(tmp_path):
    missing, garbage = tmp_path / "missing.pem", tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    result = run("serve", "--check-config", "--http-tls-cert-file", missing, "--http-tls-key-file", missing, "--grpc-tls-cert-file", garbage,
                 "--grpc-tls-key-file", garbage, "--auth-bearer-tokens", "${env:NO_SUCH_VARIABLE}")
    assert result.returncode == 2
    for words in ("http.tls.cert_file", str(missing), "grpc.tls.cert_file", str(garbage), "NO_SUCH_VARIABLE", "would not start"):
        assert words in result.stderr, result.stderr


def test_check_config_warns_of_servers_that_others_reach():
    result = run("serve", "--check-config", "--http-address", "0.0.0.0:4318")
    assert result.returncode == 0 and "warning: http.address" in result.stderr


# --- /metrics -----------------------------------------------------------------------------------------------------------


def test_metrics_are_prometheus_text(serve, directory):
    server = serve(directory, "--write-interval-secs", "1")
    with otlp.GrpcSender(server.grpc) as sender:
        for name in ("traces", "metrics", "logs"):
            sender.export(name, otlp.request(name, 10))
    status, text = server.get("/metrics")
    assert status == 200
    values = prometheus.parse(text)
    assert values["otlp_arrow_requests_total", ("result", "ok"), ("server", "grpc"), ("signal", "traces")] == 1
    assert values["otlp_arrow_request_duration_seconds_count", ("server", "grpc"), ("signal", "logs")] == 1
    assert values["otlp_arrow_request_bytes_total", ("server", "grpc"), ("signal", "metrics")] > 100
    assert values["otlp_arrow_request_duration_seconds_count", ("server", "http"), ("signal", "logs")] == 0
    for name in ("process_resident_memory_bytes", "process_open_fds", "process_threads", "process_start_time_seconds", "otlp_arrow_memory_budget_bytes",
                 "otlp_arrow_workers", "otlp_arrow_config_last_good_timestamp_seconds"):
        assert values[name,] > 0, name
    assert any(key[0] == "otlp_arrow_build_info" for key in values)
    files = ("otlp_arrow_files", ("format", "arrow"), ("signal", "traces"))
    wait_for(lambda: prometheus.parse(server.get("/metrics")[1])[files] == 1, timeout=20, what="the count of files")
    documented = (ROOT / "docs/operation.md").read_text()
    for family in {key[0] for key in values if not key[0].startswith(("process_", "otlp_arrow_flight_", "otlp_arrow_forward_", "otlp_arrow_compaction_"))}:
        assert re.sub(r"_(bucket|sum|count)$", "", family) in documented, f"docs/operation.md does not tell of {family}"


def test_the_parser_of_these_tests_is_strict():
    for wrong in ("x 1\n", "# TYPE x counter\nx{a=b} 1\n", "# TYPE x gauge\nx 1\nx 1\n", "# TYPE x gauge\nx one\n", "# TYPE x gauge\nx 1", "# TYPE x_total gauge\nx_total 1\n",
                  '# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n', '# TYPE x gauge\nx{a="\\q"} 1\n'):
        with pytest.raises(AssertionError):
            prometheus.parse(wrong)


# --- manual, container --------------------------------------------------------------------------------------------------


def test_the_manual_page(tmp_path):
    result = run("--help-man")
    assert result.returncode == 0
    for words in (".SH NAME", "OTLP\\-ARROW SERVE", "\\-\\-check\\-config", ".SS \"Signals\"", ".SS \"Exit codes\"", "SIGHUP"):
        assert words in result.stdout, words
    if not shutil.which("groff"):
        pytest.skip("there is no groff to format it")
    formatted = subprocess.run(["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-z"], input=result.stdout, capture_output=True, text=True)
    assert formatted.returncode == 0
    assert [line for line in formatted.stderr.splitlines() if "break" not in line] == [], formatted.stderr


def test_the_health_check_of_the_container(serve, directory):
    script = ROOT / "packaging/docker/healthcheck.sh"
    check = lambda address, **env: subprocess.run([script], env=environment(OTLP_HTTP_ADDRESS=address, **env), capture_output=True, timeout=20).returncode
    server = serve(directory)
    assert check(server.http) == 0
    assert check(server.http, OTLP_TLS_CERT_FILE="x") == 0
    assert check(server.grpc) == 1, "that is not HTTP/1.1"
    server.stop()
    assert check(server.http) == 1

    busy = socket.create_server(("127.0.0.1", 0))
    answer = threading.Thread(target=lambda: busy.accept()[0].sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"))
    answer.start()
    assert check(f"127.0.0.1:{busy.getsockname()[1]}") == 1
    answer.join()
    busy.close()


def test_packages_that_the_program_needs():
    if not shutil.which("dpkg-query"):
        pytest.skip("this is no Debian system")
    result = subprocess.run([ROOT / "packaging/runtime_packages.sh", BINARY], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    packages = result.stdout.split()
    assert {"libc6", "libstdc++6", "zlib1g"} <= set(packages) and packages == sorted(set(packages))
    assert subprocess.run([ROOT / "packaging/runtime_packages.sh"], capture_output=True).returncode == 2


def test_scripts_are_scripts():
    for script in (ROOT / "packaging").rglob("*.sh"):
        assert os.access(script, os.X_OK), script
        assert subprocess.run(["bash", "-n", script]).returncode == 0
    assert pathlib.Path(ROOT / "Dockerfile").exists()
