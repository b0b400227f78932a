#!/usr/bin/env python3
"""How much resident memory does embedding the library and exporting with it add to a C++ program at the default configuration (30 MiB are
allowed), compared with the same program without the library?

    benchmarks/embedded_memory_benchmark.py [--quick] [--build build/release]

Resident is what /proc/PID/smaps counts: anonymous memory, and the pages of libraries that the program has touched, which other processes that
use the same libraries share. Peak is the kernel's VmHWM.
"""

import argparse
import collections
import os
import pathlib
import re
import subprocess
import tempfile

from servers import ROOT, build_directory

AIM_MIB = 30
PARTS = ["libarrow", "our own library", "other libraries", "anonymous", "other files"]


def part_of(path):
    name = os.path.basename(path)
    if name.startswith("libarrow"):
        return "libarrow"
    if name.startswith(("libotlp_arrow", "embedded_program")):
        return "our own library"
    if ".so" in name:
        return "other libraries"
    return "other files" if path.startswith("/") else "anonymous"


def resident(pid):
    """MiB by part."""
    parts = collections.Counter({part: 0.0 for part in PARTS})
    part = None
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            fields = line.split(maxsplit=5)
            part = part_of(fields[5] if len(fields) == 6 else "")
        elif line.startswith("Rss:"):
            parts[part] += int(line.split()[1]) / 1024
    return parts


def peak(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


class Program:
    def __init__(self, path, directory):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("OTLP_", "OTEL_"))}
        self.process = subprocess.Popen([path, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.process.stdout.readline()

    def step(self, *steps):
        for line in steps:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            if not self.process.stdout.readline():
                raise SystemExit(f"the program ended with {self.process.wait()} at '{line}'")

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)


def measure(path, stages):
    """(resident by part, peak) after each stage."""
    with tempfile.TemporaryDirectory(prefix="otlp-arrow-benchmark-") as directory:
        program = Program(path, directory)
        try:
            measured = []
            for steps in stages.values():
                program.step(*steps)
                measured.append((resident(program.process.pid), peak(program.process.pid)))
            return measured
        finally:
            program.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 s of a steady load instead of 12")
    parser.add_argument("--build", type=build_directory, default=str(ROOT / "build/release"))
    options = parser.parse_args()

    seconds = 2 if options.quick else 12
    stages = {
        "main() is reached": [],
        "the library is created": ["create"],
        "1000 spans/s, written every 5 s": [f"spans {seconds * 1000} 1000", "flush"],
        "10 000 spans/s": [f"spans {seconds * 10000} 10000", "flush"],
        "500 000 spans at full speed": ["spans 500000", "flush"],
        "it is shut down": ["shutdown"],
    }
    programs = options.build / "benchmarks"
    without = measure(programs / "program_without_library", stages)
    ours = measure(programs / "embedded_program", stages)

    print(f"  MiB added {'':26}" + "".join(f"{part:>17}" for part in PARTS) + f"{'all':>8}{'peak':>8}")
    for stage, (parts, most), (base, base_most) in zip(stages, ours, without):
        added = {part: parts[part] - base[part] for part in PARTS}
        print(f"  {stage:36}" + "".join(f"{added[part]:>17.1f}" for part in PARTS) + f"{sum(added.values()):>8.1f}{most - base_most:>8.1f}")
    print(f"  the program without the library: {sum(without[-1][0].values()):.1f} MiB")
    exporting = max(sum((parts - base).values()) for (parts, _), (base, _) in list(zip(ours, without))[:4])
    print(f"  created, and exporting up to 10 000 spans/s: {exporting:.1f} MiB, {'within' if exporting <= AIM_MIB else 'beyond'} the aim of {AIM_MIB} MiB")


if __name__ == "__main__":
    main()
