"""Settings: fields, defaults, environment, builder, checks and their messages."""

import copy
import dataclasses

import pytest

from otlp_arrow_library import Config, ConfigBuilder, ForwardingConfig, OtlpConfigError, OtlpLibrary


def test_the_defaults_are_those_of_the_documents():
    config = Config()
    assert config == Config.default()
    assert config.output_dir == "./output_dir"
    assert config.write_interval_secs == 5
    assert config.trace_cleanup_interval_secs == 600
    assert config.metric_cleanup_interval_secs == 3600
    assert config.log_cleanup_interval_secs == 3600
    assert config.forwarding is None
    assert (config.format, config.compression, config.acknowledge) == ("arrow", "zstd", "journal")
    assert config.memory_budget == 64 << 20
    assert "http.route" in config.promote_attributes


def test_fields_are_keywords_and_the_first_ones_positions_too(tmp_path):
    config = Config(tmp_path, 10, trace_cleanup_interval_secs=0)
    assert config.output_dir == str(tmp_path)
    assert config.write_interval_secs == 10
    assert config.trace_cleanup_interval_secs == 0


def test_settings_of_compaction_and_limits(monkeypatch):
    config = ConfigBuilder().compaction_enabled(True).compaction_format("parquet").compaction_partition("hour").limits_max_attributes(10).log_format("json").build()
    assert (config.compaction_enabled, config.compaction_format, config.compaction_partition) == (True, "parquet", "hour")
    assert (config.limits_max_attributes, config.log_format) == (10, "json")
    monkeypatch.setenv("OTLP_COMPACTION_TARGET_FILE_BYTES", "1MiB")
    monkeypatch.setenv("OTLP_COMPACTION_ENABLED", "true")
    monkeypatch.setenv("OTLP_LIMITS_MAX_VALUE_DEPTH", "3")
    config = Config()
    assert (config.compaction_target_file_bytes, config.compaction_enabled, config.limits_max_value_depth) == (1 << 20, True, 3)


def test_repr_and_copies():
    forwarding = ForwardingConfig(endpoint="http://collector:4317", headers={"x-tenant": "secret"}, bearer_token="secret", api_key="secret", max_in_flight=7)
    config = Config(output_dir="./here", forwarding=forwarding)
    assert "output_dir='./here'" in repr(config)
    assert "http://collector:4317" in repr(config)
    assert "secret" not in repr(config)
    assert "'x-tenant': '<hidden>'" in repr(config) and "max_in_flight=7" in repr(config)
    assert copy.deepcopy(config) == config
    assert dataclasses.replace(config, write_interval_secs=9).write_interval_secs == 9


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"output_dir": ""}, "output_dir: '' is not a path"),
        ({"output_dir": None}, "output_dir: None is of type NoneType"),
        ({"output_dir": b"bytes"}, "output_dir: b'bytes' is of type bytes"),
        ({"output_dir": "a\0b"}, "output_dir: the path 'a…' holds a NUL byte"),
        ({"output_dir": "\ud800"}, r"output_dir: '\ud800' is not a name that the file system can have"),
        ({"write_interval_secs": 0}, "write_interval_secs: 0 is out of range; allowed are 1 to 86400 seconds"),
        ({"write_interval_secs": -1}, "write_interval_secs: -1 is out of range"),
        ({"write_interval_secs": 2**70}, "write_interval_secs: 1180591620717411303424 is out of range"),
        ({"write_interval_secs": 1.5}, "write_interval_secs: 1.5 is of type float; give an integer"),
        ({"write_interval_secs": True}, "write_interval_secs: True is of type bool"),
        ({"write_interval_secs": "5"}, "write_interval_secs: '5' is of type str"),
        ({"trace_cleanup_interval_secs": 2**33}, "trace_cleanup_interval_secs: 8589934592 is out of range"),
        ({"memory_budget": 1}, "memory_budget: 1 is out of range; allowed are 1KiB to 1TiB"),
        ({"compression": "gzip"}, "compression: 'gzip' is unknown; allowed are none, lz4, zstd"),
        ({"compression": None}, "compression: None is of type NoneType; allowed are none, lz4, zstd"),
        ({"acknowledge": "never"}, "acknowledge: 'never' is unknown; allowed are memory, journal, fsync"),
        ({"format": "csv"}, "format: 'csv' is unknown; allowed are arrow"),
        ({"log_format": "xml"}, "log_format: 'xml' is unknown; allowed are text, json"),
        ({"compaction_enabled": 1}, "compaction_enabled: 1 is of type int; give True or False"),
        ({"compaction_min_files": 1}, "compaction.min_files: 1 is out of range; allowed are 2 to 100000"),
        ({"compaction_target_file_bytes": 5}, "compaction.target_file_bytes: 5 is out of range"),
        ({"compaction_format": "csv"}, "compaction_format: 'csv' is unknown; allowed are same, arrow, parquet"),
        ({"compaction_partition": "week"}, "compaction_partition: 'week' is unknown; allowed are none, date, hour"),
        ({"limits_max_attributes": 0}, "limits.max_attributes: 0 is out of range"),
        ({"limits_max_value_depth": 65}, "limits.max_value_depth: 65 is out of range; allowed are 1 to 64"),
        ({"log_level": "loud"}, "log_level: 'loud' is unknown; allowed are trace, debug, info, warn, error, off"),
        ({"log_level": "\ud800"}, "is not valid Unicode"),
        ({"promote_attributes": "http.route"}, "promote_attributes: 'http.route' is of type str; give a list of str"),
        ({"promote_attributes": [1]}, "promote_attributes: 1 is of type int"),
        ({"promote_attributes": [""]}, "promote_attributes: an entry is empty"),
        ({"forwarding": "http://collector:4317"}, "forwarding: 'http://collector:4317' is of type str; give a ForwardingConfig, a list of them, or None"),
        ({"forwarding": [None]}, "forwarding: None is of type NoneType; give a ForwardingConfig, a list of them, or None"),
        ({"store": "no"}, "store: 'no' is of type str; give True or False"),
        ({"store": False}, "store: false without a destination"),
        ({"forward_backlog_max_bytes": 1}, "forward_backlog_max_bytes: 1 is out of range"),
        ({"acknowledge": "memory", "forwarding": ForwardingConfig(endpoint="http://collector:4317")}, "acknowledge: 'memory' keeps no journal"),
        ({"forwarding": [ForwardingConfig(endpoint="http://collector:4317")] * 2}, "forwarding[1].name: 'grpc-collector:4317' is also the name"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_is_allowed(settings, message):
    with pytest.raises(OtlpConfigError) as caught:
        Config(**settings)
    assert message in caught.value.message
    assert not caught.value.retryable
    with pytest.raises(OtlpConfigError):
        OtlpLibrary(**settings)


def test_fields_that_were_changed_are_checked_by_the_library(tmp_path):
    config = Config(output_dir=tmp_path)
    config.write_interval_secs = 0
    with pytest.raises(OtlpConfigError, match="write_interval_secs: 0"):
        OtlpLibrary(config)


def test_unknown_settings_are_named_with_the_known_ones():
    with pytest.raises(OtlpConfigError, match="outputdir: there is no such setting; there are output_dir, write_interval_secs"):
        OtlpLibrary(outputdir="x")


def test_a_config_of_another_type_is_refused():
    with pytest.raises(OtlpConfigError, match="config: './here' is of type str; give a Config or None"):
        OtlpLibrary("./here")


def test_keywords_go_before_the_config_and_leave_it_alone(tmp_path):
    config = Config(output_dir=tmp_path / "a", write_interval_secs=7)
    with OtlpLibrary(config, output_dir=tmp_path / "b") as library:
        assert library.config.output_dir == str(tmp_path / "b")
        assert library.config.write_interval_secs == 7
        config.write_interval_secs = 9
        library.config.write_interval_secs = 9
        assert library.config.write_interval_secs == 7
    assert config.output_dir == str(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_every_field_has_a_method_of_the_builder():
    fields = {field.name for field in dataclasses.fields(Config)}
    methods = {name for name in vars(ConfigBuilder) if not name.startswith("_")}
    assert methods == fields - {"forwarding"} | {"enable_forwarding", "build"}
    for name in methods - {"build", "enable_forwarding"}:
        value = getattr(Config(), name)
        builder = ConfigBuilder()
        assert getattr(builder, name)(value) is builder
        assert getattr(builder.build(), name) == value
        assert f"{name}={value!r}" in repr(builder)


def test_a_builder_alone_builds_a_config():
    forwarding = ForwardingConfig(endpoint="http://collector:4317")
    config = ConfigBuilder().output_dir("./x").write_interval_secs(3).enable_forwarding(forwarding).build()
    assert config == Config(output_dir="./x", write_interval_secs=3, forwarding=forwarding)
    with pytest.raises(OtlpConfigError, match="write_interval_secs: 0"):
        ConfigBuilder().write_interval_secs(0).build()


def test_each_call_of_enable_forwarding_adds_a_destination():
    endpoints = ["http://a:4317", "http://b:4318", "http://c:4319"]
    builder = ConfigBuilder()
    for endpoint in endpoints:
        builder = builder.enable_forwarding(ForwardingConfig(endpoint=endpoint))
    assert [destination.endpoint for destination in builder.build().destinations] == endpoints
    assert Config().destinations == ()


# --- environment ---


def test_the_environment_goes_before_defaults_and_behind_code(monkeypatch):
    monkeypatch.setenv("OTLP_OUTPUT_DIR", "/from/environment")
    monkeypatch.setenv("OTLP_WRITE_INTERVAL_SECS", "11")
    monkeypatch.setenv("OTLP_MAX_FILE_BYTES", "3MiB")
    monkeypatch.setenv("OTLP_MEMORY_BUDGET", "5M")
    monkeypatch.setenv("OTLP_PROMOTE_ATTRIBUTES", "http.route, user.id:int64")
    monkeypatch.setenv("OTLP_COMPRESSION", "")
    config = Config(write_interval_secs=12)
    assert config.output_dir == "/from/environment"
    assert config.write_interval_secs == 12
    assert Config().write_interval_secs == 11
    assert config.max_file_bytes == 3 << 20
    assert config.memory_budget == 5_000_000
    assert config.promote_attributes == ["http.route", "user.id:int64"]
    assert config.compression == "zstd"
    assert ConfigBuilder().build().output_dir == "/from/environment"


def test_the_environment_names_destinations(monkeypatch):
    monkeypatch.setenv("OTLP_FORWARDING_0_ENDPOINT", "https://a:4317")
    monkeypatch.setenv("OTLP_FORWARDING_0_TLS_CA_FILE", "ca.pem")
    monkeypatch.setenv("OTLP_FORWARDING_1_ENDPOINT", "http://b:4318")
    monkeypatch.setenv("OTLP_FORWARDING_1_HEADERS", "x-tenant=shop")
    monkeypatch.setenv("OTLP_FORWARD_BACKLOG_MAX_BYTES", "2GiB")
    monkeypatch.setenv("OTLP_STORE", "no")
    config = Config()
    assert config.destinations == (
        ForwardingConfig(endpoint="https://a:4317", tls_ca_file="ca.pem"),
        ForwardingConfig(endpoint="http://b:4318", headers={"x-tenant": "shop"}),
    )
    assert (config.store, config.forward_backlog_max_bytes) == (False, 2 << 30)
    assert Config(forwarding=None, store=True).destinations == ()


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("OTLP_STORE", "perhaps", "OTLP_STORE: 'perhaps' is neither true nor false"),
        ("OTLP_FORWARDING_ENDPOINT", "ftp://x", "forwarding.endpoint: endpoint 'ftp://x'"),
        ("OTLP_FORWARDING_1_ENDPOINT", "http://x", "there is no destination 0 before it"),
        ("OTLP_WRITE_INTERVAL_SECS", "soon", "OTLP_WRITE_INTERVAL_SECS: 'soon' is not a number"),
        ("OTLP_WRITE_INTERVAL_SECS", "-1", "OTLP_WRITE_INTERVAL_SECS: '-1' is not a number"),
        ("OTLP_WRITE_INTERVAL_SECS", "0", "write_interval_secs: 0 is out of range"),
        ("OTLP_MEMORY_BUDGET", "64 monkeys", "OTLP_MEMORY_BUDGET: '64 monkeys' is not a size"),
        ("OTLP_ACKNOWLEDGE", "never", "acknowledge: 'never' is unknown"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    with pytest.raises(OtlpConfigError) as caught:
        Config()
    assert message in caught.value.message


# --- forwarding ---


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"endpoint": ""}, "forwarding.endpoint: it is missing; give a URL"),
        ({"endpoint": "ftp://collector"}, "forwarding.endpoint: endpoint 'ftp://collector' has the scheme 'ftp'"),
        ({"endpoint": "http://collector:99999"}, "forwarding.endpoint: endpoint 'http://collector:99999' has no valid address"),
        ({"endpoint": None}, "forwarding.endpoint: None is of type NoneType; give a URL"),
        ({"protocol": "carrier-pigeon"}, "forwarding.protocol: 'carrier-pigeon' is unknown; allowed are grpc, http, flight"),
        ({"enabled": 1}, "forwarding.enabled: 1 is of type int"),
        ({"signals": []}, "forwarding.signals: the list is empty"),
        ({"signals": "traces"}, "forwarding.signals: 'traces' is of type str"),
        ({"signals": ["smoke"]}, "forwarding.signals: 'smoke' is unknown; allowed are traces, metrics, logs"),
        ({"compression": "rar"}, "forwarding.compression: 'rar' is unknown; allowed are none, gzip"),
        ({"compression": "zstd"}, "forwarding.compression: 'zstd' is not for the protocol grpc; allowed are none, gzip"),
        ({"headers": ["a"]}, "forwarding.headers: a list is no mapping"),
        ({"headers": {1: "b"}}, "forwarding.headers: 1 is of type int"),
        ({"headers": {"authorization": b"secret"}}, "forwarding.headers: the value of 'authorization' is of type bytes"),
        ({"bearer_token": b"secret"}, "forwarding.bearer_token: the value is of type bytes; give a str"),
        ({"bearer_token": "sec\nret", "username": "secret"}, "forwarding.bearer_token: the text has a control character"),
        ({"password": "secret"}, "forwarding.username: it is empty"),
        ({"tls_ca_file": "ca.pem"}, "forwarding.tls.ca_file: 'ca.pem' means nothing without TLS"),
        ({"tls_ca_file": 5}, "forwarding.tls_ca_file: 5 is of type int; give a path"),
        ({"timeout_ms": 0}, "forwarding.timeout_ms: 0 is out of range"),
        ({"timeout_ms": 1.5}, "forwarding.timeout_ms: 1.5 is of type float"),
        ({"batch_bytes": "1MiB"}, "forwarding.batch_bytes: '1MiB' is of type str"),
        ({"max_in_flight": 2**40}, "forwarding.max_in_flight: 1099511627776 is out of range"),
    ],
)
def test_a_wrong_field_of_forwarding_is_named(settings, message):
    with pytest.raises(OtlpConfigError) as caught:
        ForwardingConfig(**{"endpoint": "http://collector:4317", **settings})
    assert message in caught.value.message
    assert "secret" not in caught.value.message
