#!/usr/bin/env python3
"""Adds up what a run of tools/test.sh left in build/reports and prints one line for each kind of test and one for all.

    tools/test_summary.py REPORTS [FAILED_STEP...]

A step that failed without a failed test (a build that broke, a test that crashed) counts as one failure.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def count_cases(file):
    """(passed, failed, skipped) of a JUnit or GoogleTest XML file."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(file).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def count_folder(folder):
    counts = [count_cases(file) for file in sorted(folder.glob("*.xml"))]
    counts += [(1, 0, 0) for _ in folder.glob("*.passed")] + [(0, 1, 0) for _ in folder.glob("*.failed")]
    return tuple(map(sum, zip(*counts))) if counts else (0, 0, 0)


def text(counts):
    passed, failed, skipped = counts
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def main(arguments):
    reports = pathlib.Path(arguments[1])
    all_counts = []
    for folder in sorted(p for p in reports.iterdir() if p.is_dir()):
        all_counts.append(count_folder(folder))
        print(f"{folder.name:<12} {text(all_counts[-1])}")
    total = list(map(sum, zip(*all_counts))) if all_counts else [0, 0, 0]
    for step in arguments[2:]:
        print(f"step failed: {step}")
    if arguments[2:] and total[1] == 0:
        total[1] = len(arguments[2:])
    print(text(total))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
