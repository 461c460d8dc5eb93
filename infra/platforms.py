#!/usr/bin/env python3
"""Download size and missing wheels of each supported platform and Python.

    .venv/bin/python infra/platforms.py

It queries the package index, and fails if a package has no wheel or infra/bootstrap.py states another size.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

sys.path.insert(0, str(Path(__file__).parent))
import bootstrap

PYTHONS = [(3, minor) for minor in range(bootstrap.OLDEST[1], bootstrap.NEWEST[1] + 1)]
SYSTEMS = {"linux": "Linux", "darwin": "Darwin"}
TOLERANCE_GB = 0.15


def main() -> int:
    """Print a line for each platform and Python; return 1 if a wheel is missing or a size is wrong."""
    packages, wrong = locked(), 0
    for (system, machine), promised in bootstrap.PLATFORMS.items():
        for python in PYTHONS:
            size, missing = needed(packages, system, machine, python)
            lacks = f"; no wheel of {', '.join(missing)}" if missing else ""
            print(f"{system} {machine}, Python {python[0]}.{python[1]}: {size / 1e9:.2f} GB{lacks}")
            if missing or abs(size / 1e9 - promised.download_gb) > TOLERANCE_GB:
                print(f"  infra/bootstrap.py states {promised.download_gb} GB and every wheel")
                wrong = 1
    return wrong


def locked() -> list[dict[str, Any]]:
    """Return the packages of requirements.lock, with their files on the index."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "pylock.toml"
        command = ("pip", "compile", "--quiet", "--universal", "--no-deps", "--format", "pylock.toml")
        oldest = ".".join(map(str, bootstrap.OLDEST))
        arguments = (*command, "--python-version", oldest, str(bootstrap.LOCK), "-o", str(found))
        subprocess.run([str(bootstrap.install_uv()), *arguments], check=True, stdout=subprocess.DEVNULL)
        packages: list[dict[str, Any]] = tomllib.loads(found.read_text())["packages"]
        return packages


def needed(
    packages: list[dict[str, Any]], system: str, machine: str, python: tuple[int, int]
) -> tuple[int, list[str]]:
    """Return the total size of the matching wheels (bytes), and the names of packages without one."""
    version = ".".join(map(str, python))
    about = {
        "sys_platform": system,
        "platform_system": SYSTEMS[system],
        "platform_machine": machine,
        "python_version": version,
        "python_full_version": f"{version}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    fitting, size, missing = set(tags(system, machine, python)), 0, []
    for package in packages:
        if not Marker(package.get("marker", "python_version > '0'")).evaluate(about):
            continue
        sizes = [
            wheel["size"]
            for wheel in package.get("wheels", [])
            if parse_wheel_filename(wheel["url"].rsplit("/", 1)[-1])[3] & fitting
        ]
        size += min(sizes, default=0)
        missing += [] if sizes else [package["name"]]
    return size, missing


def tags(system: str, machine: str, python: tuple[int, int]) -> Iterator[Tag]:
    """Yield the tags of matching wheels."""
    if system == "darwin":
        platforms = list(mac_platforms((14, 0), machine))
    else:
        glibc = bootstrap.PLATFORMS["linux", "x86_64"].release[1]
        platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(glibc, 4, -1)]
        platforms += [f"manylinux{year}_{machine}" for year in (2014, 2010, 1)]
    yield from cpython_tags(python, platforms=platforms)
    yield from compatible_tags(python, interpreter=f"cp{python[0]}{python[1]}", platforms=platforms)


if __name__ == "__main__":
    sys.exit(main())
