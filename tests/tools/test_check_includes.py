"""tools/check_includes.py and tools/check_headers.sh find each kind of violation, and the sources have none."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def check_includes(root):
    return subprocess.run([sys.executable, ROOT / "tools/check_includes.py", root], capture_output=True, text=True, timeout=60)


def check_headers(root):
    return subprocess.run([ROOT / "tools/check_headers.sh", root], capture_output=True, text=True, timeout=300)


def write(root, name, text=""):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def tree(tmp_path):
    """A small tree that keeps every rule."""
    write(tmp_path, "include/otlp_arrow/status.h", "#include <string>\n")
    write(tmp_path, "include/otlp_arrow/config.h", '#include "otlp_arrow/status.h"\n#include <vector>\n')
    write(tmp_path, "src/base/clock.h", '#include <chrono>\n#include "otlp_arrow/status.h"\n')
    write(tmp_path, "src/base/clock.cc", '#include "clock.h"\n')
    write(tmp_path, "src/ring/ring.h", '#include "base/clock.h"\n')
    write(tmp_path, "src/schema/schemas.h", '#include <arrow/type.h>\n#include "base/clock.h"\n')
    write(tmp_path, "src/schema/schemas_test.cc", '#include <google/protobuf/message.h>\n#include "random_otlp.h"\n')
    write(tmp_path, "src/pipeline/pipeline.h", '#include "schema/schemas.h"\n#include "base/clock.h"\n')
    write(tmp_path, "src/server/common/response.h", '#include "pipeline/pipeline.h"\n')
    write(tmp_path, "src/server/grpc/server.cc", '#include <grpcpp/server.h>\n#include "server/common/response.h"\n')
    write(tmp_path, "src/server/http/server.cc", '#include <boost/asio.hpp>\n#include "server/common/response.h"\n')
    write(tmp_path, "src/service/main.cc", '#include <CLI/CLI.hpp>\n#include <yaml-cpp/yaml.h>\n#include "pipeline/pipeline.h"\n')
    write(tmp_path, "src/service/files_testing.h", '#include "pipeline/pipeline.h"\n')
    write(tmp_path, "tests/random_otlp.h")
    write(tmp_path, "examples/record.cc", '#include "otlp_arrow/config.h"\n')
    return tmp_path


def test_a_tree_that_keeps_the_rules_passes(tree):
    result = check_includes(tree)
    assert (result.returncode, result.stdout.count("\n")) == (0, 1), result.stdout


@pytest.mark.parametrize(
    "file, include, reason",
    [
        ("src/base/clock.cc", '"schema/schemas.h"', "'base' may include only base"),
        ("src/schema/decode.cc", '"../pipeline/pipeline.h"', "'schema' may include only"),
        ("src/server/http/session.cc", '"server/grpc/server.cc"', "'server/http' may include only"),
        ("src/ring/reader.cc", '"schema/schemas.h"', "'ring' may include only base, ring"),
        ("src/sdk/span.cc", '"pipeline/pipeline.h"', "'sdk' may include only base, otlp, ring, sdk"),
        ("src/pipeline/shard.cc", "<grpcpp/grpcpp.h>", "headers of gRPC stay inside"),
        ("src/server/grpc/call.cc", "<boost/asio.hpp>", "headers of Boost stay inside"),
        ("src/base/config.cc", "<yaml-cpp/yaml.h>", "headers of yaml-cpp stay inside"),
        ("src/storage/journal.cc", "<CLI/CLI.hpp>", "headers of CLI11 stay inside"),
        ("src/schema/decode.cc", "<google/protobuf/message.h>", "for tests alone"),
        ("src/otlp/scan.cc", '"opentelemetry/proto/logs/v1/logs.pb.h"', "for tests alone"),
        ("src/schema/decode.cc", '"random_otlp.h"', "for tests alone"),
        ("src/service/serve.cc", '"service/files_testing.h"', "for tests alone"),
        ("src/base/clock.cc", '"base/gone.h"', "no such file"),
        ("src/misc/odd.cc", "<vector>", "its folder is no layer"),
        ("include/otlp_arrow/library.h", "<arrow/type_fwd.h>", "public headers include only"),
        ("include/otlp_arrow/library.h", '"base/clock.h"', "public headers include only"),
        ("examples/record.cc", '"base/clock.h"', "only what stands in include/"),
        ("python/src/bind_reader.cc", '"ring/ring.h"', "only what stands in include/"),
        ("python/src/mmap_functions.cc", '"ring/ring.h"', "only what stands in include/"),
    ],
)
def test_a_violation_is_named_with_file_and_line(tree, file, include, reason):
    write(tree, file, f"#include <vector>\n\n  #  include {include}\n")
    result = check_includes(tree)
    assert result.returncode == 1
    line = 1 if "no layer" in reason else 3
    assert result.stdout.startswith(f"{file}:{line}: ") and reason in result.stdout
    assert result.stdout.count("\n") == 1, "nothing else is wrong with the tree"


def test_an_empty_tree_is_no_success(tmp_path):
    assert check_includes(tmp_path).returncode == 1
    (tmp_path / "include").mkdir()
    assert check_headers(tmp_path).returncode == 1


def test_the_sources_keep_the_rules():
    result = check_includes(ROOT)
    assert result.returncode == 0, result.stdout


def test_a_header_that_needs_another_one_first_is_named(tmp_path):
    write(tmp_path, "include/otlp_arrow/good.h", "#pragma once\n#include <string>\ninline std::string Text() { return {}; }\n")
    assert check_headers(tmp_path).returncode == 0
    write(tmp_path, "include/otlp_arrow/needy.h", "#pragma once\ninline std::string More() { return {}; }\n")
    write(tmp_path, "include/otlp_arrow/unguarded.h", "struct Twice {};\n")
    result = check_headers(tmp_path)
    assert result.returncode == 1
    assert "otlp_arrow/needy.h does not compile alone" in result.stderr
    assert "otlp_arrow/unguarded.h does not compile alone" in result.stderr
    assert "3 public headers, 2 failed" in result.stdout


def test_public_headers_compile_alone():
    result = check_headers(ROOT)
    assert result.returncode == 0, result.stderr
