#!/usr/bin/env python3
"""Prints every #include that breaks a layer (docs/architecture.md) and ends with 1 if there is one.

    tools/check_includes.py [ROOT]

Checked are the sources below src/, include/, and below exporters/, sdk/, python/src/ and examples/ where these exist.
"""

import pathlib
import re
import sys

# Low to high; a layer may include itself and what `ALLOWED` lists for it.
ORDER = ["base", "otlp", "schema", "storage", "query", "compact", "forward", "pipeline", "library", "recorder", "senders", "server/common", "server/grpc", "server/http", "server/flight", "service"]
ALLOWED = {layer: set(ORDER[: i + 1]) for i, layer in enumerate(ORDER)}
# One protocol knows nothing of another.
ALLOWED["server/http"].discard("server/grpc")
ALLOWED["server/flight"] -= {"server/grpc", "server/http", "senders", "recorder"}
# Apart from the order: an instrumented program links these alone.
ALLOWED["ring"] = {"base", "ring"}
ALLOWED["sdk"] = {"base", "otlp", "ring", "sdk"}
ALLOWED["collector"] = {"base", "otlp", "ring", "collector"}
for layer in ("recorder", "service"):
    ALLOWED[layer] |= {"ring", "collector", "sdk"}
# Readers are tested beside a writer at work.
ALLOWED_IN_TESTS = {"query": {"pipeline"}}

# Headers of a library by the start of their names, and the layers that may include them.
LIBRARIES = [
    ("gRPC", r"(grpc|grpcpp|grpc\+\+)/", {"server/grpc", "senders"}),
    ("Boost", r"boost/", {"server/http", "senders"}),
    ("Arrow Flight", r"arrow/flight/", {"server/flight", "senders"}),
    ("yaml-cpp", r"yaml-cpp/", {"service"}),
    ("CLI11", r"CLI/", {"service"}),
]
# Tests alone compare with libprotobuf's generated messages.
PROTOBUF = re.compile(r"google/protobuf/|.*\.pb\.h$")

# What public headers may include besides each other: the standard library.
STANDARD_LIBRARY = set(
    """algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits clocale cmath
    codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime
    cuchar cwchar cwctype deque exception execution filesystem format forward_list fstream functional future initializer_list iomanip ios
    iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new numbers numeric optional ostream queue
    random ranges ratio regex scoped_allocator semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf
    string string_view syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray
    variant vector version""".split()
)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
OUTSIDE = ["exporters", "sdk", "python/src", "examples"]  # these see include/ alone


def sources(folder):
    if folder.is_dir():
        yield from sorted(p for p in folder.rglob("*") if p.suffix in (".cc", ".h", ".cpp", ".hpp") and p.is_file())


def includes(path):
    """(line number, "<" or '"', name) of each #include."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match[1], match[2]


def layer_of(relative):
    """The layer of a file named relative to src/, or None where its folder is no layer."""
    parts = pathlib.PurePosixPath(relative).parts[:-1]
    for depth in (2, 1):
        name = "/".join(parts[:depth])
        if len(parts) >= depth and name in ALLOWED:
            return name
    return None


def is_test(name):
    return name.endswith(("_test.cc", "_testing.h"))


def is_only_for_tests(root, name):
    return name.endswith("_testing.h") or (root / "tests" / name).is_file()


def check_source(root, path, kind, name):
    """What is wrong with one #include of a file below src/, or None."""
    relative = path.relative_to(root / "src").as_posix()
    layer = layer_of(relative)
    for library, pattern, layers in LIBRARIES:
        if re.match(pattern, name) and layer not in layers:
            return f"headers of {library} stay inside {' and '.join('src/' + l for l in sorted(layers))}"
    if not is_test(relative):
        if PROTOBUF.match(name):
            return "libprotobuf's messages are for tests alone (x_test.cc, x_testing.h)"
        if kind == '"' and is_only_for_tests(root, name):
            return "this header is for tests alone"
    if kind == "<" or PROTOBUF.match(name):
        return None
    beside = (path.parent / name).resolve()
    if beside.is_file() and beside.is_relative_to(root / "src"):
        name = beside.relative_to(root / "src").as_posix()
    if not (root / "src" / name).is_file():
        if (root / "include" / name).is_file() or (is_test(relative) and (root / "tests" / name).is_file()):
            return None
        return "there is no such file below src/ or include/"
    if layer_of(name) not in ALLOWED[layer] and not (is_test(relative) and layer_of(name) in ALLOWED_IN_TESTS.get(layer, ())):
        return f"'{layer}' may include only {', '.join(sorted(ALLOWED[layer]))}"
    return None


def check_public_header(root, path, name):
    if (root / "include" / name).is_file() or name in STANDARD_LIBRARY:
        return None
    if name.startswith("opentelemetry/") and path.name in ("opentelemetry_exporters.h", "opentelemetry_sdk.h"):
        return None
    return "public headers include only public headers and the standard library"


def check_outside(root, path, kind, name):
    local = kind == '"' and (path.parent / name).is_file()
    if not local and ((root / "src" / name).is_file() or name.startswith("src/")):
        return "only what stands in include/ may be used here"
    return None


def check(root):
    """Lines "file:line: #include name: reason", one for each include that breaks a rule."""
    found = []

    def report(path, number, name, reason):
        found.append(f"{path.relative_to(root).as_posix()}:{number}: #include {name}: {reason}")

    for path in sources(root / "src"):
        if layer_of(path.relative_to(root / "src").as_posix()) is None:
            report(path, 1, path.name, f"its folder is no layer; layers are {', '.join([*ORDER, 'ring', 'sdk'])} (tools/check_includes.py)")
            continue
        for number, kind, name in includes(path):
            if reason := check_source(root, path, kind, name):
                report(path, number, name, reason)
    for path in sources(root / "include"):
        for number, _, name in includes(path):
            if reason := check_public_header(root, path, name):
                report(path, number, name, reason)
    for folder in OUTSIDE:
        for path in sources(root / folder):
            for number, kind, name in includes(path):
                if reason := check_outside(root, path, kind, name):
                    report(path, number, name, reason)
    return found


def main(arguments):
    root = pathlib.Path(arguments[1] if len(arguments) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    files = sum(1 for folder in ("src", "include") for _ in sources(root / folder))
    if files == 0:
        print(f"check_includes: there are no sources below {root}/src", file=sys.stderr)
        return 1
    found = check(root)
    print("\n".join(found) if found else f"check_includes: {files} files, no include breaks a layer")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
