# What people type. The build itself is CMake's: CMakePresets.json lists the presets.
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 300
export JOBS

.PHONY: help setup build run test unit e2e layers fuzz sanitize bench wheel python clean

help:
	@echo "make run       build and serve OTLP on 127.0.0.1:4317 (gRPC) and 127.0.0.1:4318 (HTTP), files in ./output_dir;"
	@echo "               ARGS=\"--write-interval-secs 1\" passes flags to 'otlp-arrow serve'"
	@echo "make test      everything that a change must pass: unit tests, the program from outside, layers, fuzzers, sanitizers"
	@echo "make build     build/release/bin/otlp-arrow, with tests and benchmarks"
	@echo "make unit      the unit tests of the release build"
	@echo "make e2e       the tests in Python: the program, the samples of the documentation, the tools"
	@echo "make python    the tests of the Python package; ARGS=\"-k NAME\" passes arguments to pytest"
	@echo "make wheel     the Python wheel that can be given away, in dist/"
	@echo "make layers    no include breaks a layer, each public header compiles alone"
	@echo "make fuzz      the fuzzers, FUZZ_SECONDS=$(FUZZ_SECONDS) each"
	@echo "make sanitize  all unit tests and the program under AddressSanitizer with UndefinedBehaviorSanitizer, the tests under ThreadSanitizer"
	@echo "make bench     the benchmarks of the release build; ARGS=--quick for one short round each"
	@echo "make setup     install what the build needs (Debian packages, .venv)"
	@echo "make clean     delete build/"
	@echo "JOBS=$(JOBS) compilers run at a time."

setup:
	@echo "== setup: tools/setup.sh"
	@tools/setup.sh

build: setup
	@echo "== build: preset release, $(JOBS) jobs"
	@cmake --preset release
	@cmake --build --preset release -j $(JOBS)

run: setup
	@echo "== build: preset release, otlp-arrow, $(JOBS) jobs"
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target otlp-arrow
	@exec build/release/bin/otlp-arrow serve --output-dir ./output_dir $(ARGS)

test:
	@FUZZ_SECONDS=$(if $(filter command line environment,$(origin FUZZ_SECONDS)),$(FUZZ_SECONDS),10) tools/test.sh

unit: setup
	@tools/run_unit_tests.sh release

e2e: build
	@tools/collector/build.sh
	@.venv/bin/python -m pytest tests/e2e
	@.venv/bin/python -m pytest --timeout=300 tests --ignore=tests/e2e

python: setup
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target otlp_arrow_python
	@.venv/bin/python -m pytest --timeout=300 tests/python $(ARGS)

wheel: setup
	@tools/build_wheel.sh

layers:
	@tools/check_includes.py
	@tools/check_headers.sh

fuzz: setup
	@tools/run_fuzzers.sh $(FUZZ_SECONDS)

sanitize: setup
	@tools/run_unit_tests.sh asan-ubsan
	@tools/run_sanitized_service.sh
	@tools/run_unit_tests.sh tsan

bench: build
	@benchmarks/run_all.sh $(ARGS)

clean:
	@echo "== clean: deleting build/"
	@rm -rf build
