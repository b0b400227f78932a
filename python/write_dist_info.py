#!/usr/bin/env python3
"""Makes an uninstalled package look installed: writes the .dist-info that its entry points are found by.

    write_dist_info.py PYPROJECT DIRECTORY

Names, version and entry points come from PYPROJECT; DIRECTORY is the one that PYTHONPATH names.
"""

from __future__ import annotations

import pathlib
import shutil
import sys
import tomllib


def entry_points(project: dict) -> str:
    groups = {"console_scripts": project.get("scripts", {}), **project.get("entry-points", {})}
    sections = [f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in entries.items()) for group, entries in groups.items() if entries]
    return "\n".join(sections)


def main() -> None:
    pyproject, directory = map(pathlib.Path, sys.argv[1:])
    project = tomllib.loads(pyproject.read_text())["project"]
    stem = project["name"].replace("-", "_")
    for old in directory.glob(f"{stem}-*.dist-info"):
        shutil.rmtree(old)
    info = directory / f"{stem}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (info / "entry_points.txt").write_text(entry_points(project))
    (info / "INSTALLER").write_text("build\n")


if __name__ == "__main__":
    main()
