"""Tests of the set-up: it refuses unsupported machines, and names the size of a download beforehand."""

import re
import subprocess
from pathlib import Path

import pytest

from infra.bootstrap import DEV_LOCK, LOCK, NEWEST, OLDEST, PLATFORMS, ROOT, Plan, unsupported
from infra.pythons import find

LINUX = PLATFORMS["linux", "x86_64"]
GLIBC = ("glibc", (2, 36))


@pytest.mark.parametrize("lock", [LOCK, DEV_LOCK], ids=lambda lock: lock.name)
def test_a_lock_names_each_package_once(lock: Path) -> None:
    """With two versions of one package, some Python would run an untested one."""
    names = re.findall(r"(?m)^([\w.-]+)==", lock.read_text())
    assert len(names) > 100
    assert sorted(names) == sorted(set(names))


def test_both_locks_pin_the_same_versions() -> None:
    locked, developed = (
        set(re.findall(r"(?m)^([\w.-]+==[^ ]+)", lock.read_text())) for lock in (LOCK, DEV_LOCK)
    )
    assert locked < developed


def test_image_and_readme_name_the_supported_pythons() -> None:
    supported = [f"3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]
    pyproject, readme = ((ROOT / name).read_text() for name in ("pyproject.toml", "README.md"))
    assert f'requires-python = ">={supported[0]},<3.{NEWEST[1] + 1}"' in pyproject
    assert f"Python {', '.join(supported[:-1])} or {supported[-1]}" in readme
    images = re.findall(r"FROM python:(\d+\.\d+)", (ROOT / "infra" / "docker" / "Dockerfile").read_text())
    assert images
    assert set(images) <= set(supported)


@pytest.mark.parametrize(
    ("python", "system", "machine", "libc", "cause"),
    [
        ((3, 10, 13), "linux", "x86_64", GLIBC, "this is Python 3.10.13, groundswell needs 3.11 to 3.13"),
        ((3, 14, 0), "linux", "x86_64", GLIBC, "this is Python 3.14.0, groundswell needs 3.11 to 3.13"),
        (
            (3, 12, 1),
            "linux",
            "aarch64",
            GLIBC,
            "this is linux on aarch64: some packages",
        ),
        ((3, 12, 1), "darwin", "x86_64", ("macOS", (15, 1)), "this is darwin on x86_64: some packages"),
        ((3, 12, 1), "win32", "AMD64", ("", ()), "this is win32 on AMD64: some packages"),
        ((3, 12, 1), "linux", "x86_64", ("", ()), "this is another C library, the packages"),
        (
            (3, 12, 1),
            "linux",
            "x86_64",
            ("glibc", (2, 17)),
            "this is glibc 2.17, the packages need",
        ),
        (
            (3, 12, 1),
            "darwin",
            "arm64",
            ("macOS", (13, 6)),
            "this is macOS 13.6, the packages need",
        ),
    ],
)
def test_what_is_not_supported_is_refused_with_a_cure(
    python: tuple[int, ...], system: str, machine: str, libc: tuple[str, tuple[int, ...]], cause: str
) -> None:
    refused = unsupported(python, system, machine, libc)
    assert refused is not None
    assert refused[0].startswith(cause)
    assert refused[1]


def test_supported_machines_are_not_refused() -> None:
    assert unsupported((3, 11, 0), "linux", "x86_64", ("glibc", (2, 28))) is None
    assert unsupported((3, 13, 9), "darwin", "arm64", ("macOS", (14, 0))) is None


def test_a_python_that_is_too_old_is_told_so() -> None:
    """The file must also parse with older syntax: Python reads all of it before the refusal."""
    older = [python for minor in (8, 9, 10) if (python := find(minor))]
    if not older:
        pytest.skip("no Python older than 3.11 here")
    for python in older:
        refused = subprocess.run(
            [python, ROOT / "infra" / "bootstrap.py", "demo"], capture_output=True, text=True, check=False
        )
        assert refused.returncode == 1
        assert refused.stderr.startswith("error: this is Python 3.")
        assert "cure: run this command with another Python" in refused.stderr


def test_what_has_to_be_downloaded_is_told_with_its_size() -> None:
    plan = Plan.read("Would download 60 packages\nWould install 240 packages\n + av==18.1.0", LINUX)
    assert (plan.installs, plan.downloads) == (240, 60)
    quarter = LINUX.download_gb / 4
    assert f"60 of them will be downloaded, about {quarter:.1f} GB" in str(plan)
    assert "min at 100 Mbit/s" in str(plan)
    cached = Plan.read("Would install 1 package", LINUX)
    assert str(cached) == "installing 1 packages, all of them already downloaded"


def test_a_disk_without_room_is_refused_before_the_download() -> None:
    plan = Plan.read("Would download 240 packages\nWould install 240 packages", LINUX)
    assert plan.lacks(Path("here"), LINUX.installed_gb) is None
    refused = plan.lacks(Path("here"), LINUX.installed_gb - 1.5)
    assert refused is not None
    assert refused[0].startswith("the disk of here has ")
    assert refused[1].startswith("free 1.5 GB, or use another disk (")
    cached = Plan.read("Would install 240 packages", LINUX)
    assert cached.lacks(Path("here"), 0.1) is None
