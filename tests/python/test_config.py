"""Settings: fields, defaults, environment, builder, checks and their messages."""

import copy
import dataclasses
import logging
import pathlib

import pytest

import otlp_arrow_library
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


def test_repr_and_copies():
    config = Config(output_dir="./here", forwarding=ForwardingConfig(endpoint="http://collector:4317", headers={"authorization": "secret"}))
    assert "output_dir='./here'" in repr(config)
    assert "http://collector:4317" in repr(config)
    assert "secret" not in repr(config)
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
        ({"log_level": "loud"}, "log_level: 'loud' is unknown; allowed are trace, debug, info, warn, error, off"),
        ({"log_level": "\ud800"}, "is not valid Unicode"),
        ({"promote_attributes": "http.route"}, "promote_attributes: 'http.route' is of type str; give a list of str"),
        ({"promote_attributes": [1]}, "promote_attributes: 1 is of type int"),
        ({"promote_attributes": [""]}, "promote_attributes: an entry is empty"),
        ({"forwarding": "http://collector:4317"}, "forwarding: 'http://collector:4317' is of type str; give a ForwardingConfig or None"),
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


@pytest.mark.parametrize(
    "name, value, message",
    [
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
        ({"endpoint": ""}, "forwarding.endpoint: '' is not a URL of a receiver"),
        ({"endpoint": "collector:4317"}, "forwarding.endpoint: 'collector:4317' is not a URL"),
        ({"endpoint": "ftp://collector"}, "forwarding.endpoint: 'ftp://collector' is not a URL"),
        ({"endpoint": "http://collector:99999"}, "forwarding.endpoint: 'http://collector:99999' is not a URL"),
        ({"endpoint": None}, "forwarding.endpoint: None is of type NoneType; give a URL"),
        ({"protocol": "carrier-pigeon"}, "forwarding.protocol: 'carrier-pigeon' is unknown; allowed are grpc, http"),
        ({"enabled": 1}, "forwarding.enabled: 1 is of type int"),
        ({"signals": []}, "forwarding.signals: it is empty"),
        ({"signals": "traces"}, "forwarding.signals: 'traces' is of type str"),
        ({"signals": ["smoke"]}, "forwarding.signals: 'smoke' is unknown; allowed are traces, metrics, logs"),
        ({"compression": "rar"}, "forwarding.compression: 'rar' is unknown; allowed are none, gzip"),
        ({"headers": ["a"]}, "forwarding.headers: a list is no mapping"),
        ({"headers": {1: "b"}}, "forwarding.headers: 1 is of type int"),
        ({"headers": {"authorization": b"secret"}}, "forwarding.headers: the value of 'authorization' is of type bytes"),
        ({"timeout_secs": 0}, "forwarding.timeout_secs: 0 is out of range"),
        ({"timeout_secs": float("nan")}, "forwarding.timeout_secs: nan is out of range"),
        ({"timeout_secs": "10"}, "forwarding.timeout_secs: '10' is of type str"),
    ],
)
def test_a_wrong_field_of_forwarding_is_named(settings, message):
    with pytest.raises(OtlpConfigError) as caught:
        ForwardingConfig(**{"endpoint": "http://collector:4317", **settings})
    assert message in caught.value.message
    assert "secret" not in caught.value.message


def test_a_library_with_forwarding_says_once_that_it_only_records(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(otlp_arrow_library._library, "_warned_of_forwarding", False)
    forwarding = ForwardingConfig(endpoint="https://collector:4318", protocol="http")
    with caplog.at_level(logging.WARNING, "otlp_arrow_library"):
        with OtlpLibrary(output_dir=tmp_path, forwarding=dataclasses.replace(forwarding, enabled=False)):
            assert caplog.records == []
        for _ in range(2):
            with OtlpLibrary(Config(output_dir=pathlib.Path(tmp_path), forwarding=forwarding)):
                pass
    assert [record.getMessage() for record in caplog.records] == [
        "forwarding to https://collector:4318 is configured, but this version records to files only and forwards nothing"
    ]
