#!/usr/bin/env python3
"""Set-up on a machine that has only git and Python; afterwards it runs a command.

    python3 infra/bootstrap.py demo        process the sample talks and print the address of the page
    python3 infra/bootstrap.py test        all tests but the long ones; further arguments are passed to pytest
    python3 infra/bootstrap.py test --all  every test; --long: only the long ones
    python3 infra/bootstrap.py check       lint, formatting, types, import rules, dependencies, documentation
    python3 infra/bootstrap.py lock        resolve the dependencies again and write the lock files
    python3 infra/bootstrap.py …           any other command is passed to groundswell

It creates .bootstrap (uv, pinned by hash) and .venv (all packages of the lock file, by hash) in the project's
folder; data and caches are in the user's folders. Later runs only start the command. It uses the standard
library only.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOOTSTRAP, VENV = ROOT / ".bootstrap", ROOT / ".venv"
LOCK, DEV_LOCK = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
INTERRUPTED = 130
"""Exit code after Ctrl-C."""
OLDEST, NEWEST = (3, 11), (3, 13)


@dataclass(frozen=True)
class Platform:
    """A platform for which every package of the lock file has a wheel."""

    release: tuple[int, ...]
    """Oldest version of glibc or macOS on which the wheels run."""
    download_gb: float
    installed_gb: float


PLATFORMS = {
    ("linux", "x86_64"): Platform((2, 28), 3.6, 6.0),
    ("darwin", "arm64"): Platform((14, 0), 0.9, 2.5),
}
"""`infra/platforms.py` checks the download size and the wheels of each platform."""
SPREAD = ("--numprocesses", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--max-worker-restart", "0")
"""A test file runs in one process, because its tests share fixtures. Files run in order of their names, which
mixes slow with fast ones; pytest-xdist would run files with few tests, the slow ones, last."""
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports", "--no-cache"),
    ("deptry", "agents", "models", "streams"),
    ("codespell", "docs", "infra/decisions", "README.md", "CONTRIBUTING.md", "agents/web/templates"),
)


def main(arguments: list[str]) -> int:
    """Install what the command needs and run it; return its exit code."""
    if reason := unsupported(sys.version_info[:3], sys.platform, platform.machine(), release()):
        fail(*reason)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else 2
    command, rest = arguments[0], arguments[1:]
    if command == "lock":
        return lock()
    set_up(DEV_LOCK if command in ("test", "check") else LOCK)
    if command == "test":
        return test(rest)
    if command == "check":
        with tempfile.TemporaryDirectory() as site:
            built = ("mkdocs", "build", "--strict", "--quiet", "--site-dir", site)
            return max(run(program(name), *options) for name, *options in (*CHECKS, built))
    return run(program("groundswell"), *arguments)


def release() -> tuple[str, tuple[int, ...]]:
    """Return name and version of the C library on Linux, or "macOS" and its version."""
    name, version = ("macOS", platform.mac_ver()[0]) if sys.platform == "darwin" else platform.libc_ver()
    return name, tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def unsupported(
    python: tuple[int, ...], system: str, machine: str, libc: tuple[str, tuple[int, ...]]
) -> tuple[str, str] | None:
    """Return cause and cure if groundswell cannot be installed with this Python on this machine."""
    if not OLDEST <= python[:2] <= NEWEST:
        found, oldest, newest = (".".join(map(str, version)) for version in (python, OLDEST, NEWEST))
        return (
            f"this is Python {found}, groundswell needs {oldest} to {newest}",
            "run this command with another Python, such as python3.12",
        )
    known = PLATFORMS.get((system, machine))
    if known is None:
        return (
            f"this is {system} on {machine}: some packages have no wheels for it",
            "use Linux on x86_64 or macOS on Apple silicon; on Windows, use WSL 2",
        )
    name, version = libc
    wanted = "macOS" if system == "darwin" else "glibc"
    if name != wanted or version < known.release:
        found = " ".join((name or "another C library", ".".join(map(str, version)))).strip()
        return (
            f"this is {found}, the packages need {wanted} {'.'.join(map(str, known.release))} or newer",
            "use a newer system" if name == wanted else "use a system with glibc, such as Debian or Ubuntu",
        )
    return None


def set_up(lock_file: Path) -> None:
    """Install exactly the packages of `lock_file`; do nothing if they are already installed.

    DEV_LOCK includes all packages of LOCK, so an environment for tests also serves to run the program.
    """
    mark = VENV / ".groundswell"
    wanted, enough = fingerprint(lock_file), fingerprint(DEV_LOCK)
    if mark.exists() and mark.read_text() in (wanted, enough):
        return
    uv = install_uv()
    if not (VENV / "bin" / "python").exists():
        check(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV)
    mark.unlink(missing_ok=True)
    sync = (uv, "pip", "sync", "--python", VENV, "--require-hashes", lock_file)
    plan = Plan.read(output(*sync, "--dry-run"), PLATFORMS[sys.platform, platform.machine()])
    say(f"{lock_file.name}: {plan}")
    for folder in {ROOT, existing(output(uv, "cache", "dir").strip())}:
        if reason := plan.lacks(folder, shutil.disk_usage(folder).free / 1e9):
            fail(*reason)
    check(*sync, *(() if sys.stderr.isatty() else ("--no-progress",)))
    check(uv, "pip", "install", "--quiet", "--python", VENV, "--no-deps", "--editable", ROOT)
    mark.write_text(wanted)


@dataclass(frozen=True)
class Plan:
    """Number of packages that uv will install, and number of those that it has to download first.

    Packages that an interrupted run downloaded are in uv's cache and are not downloaded again. The size is
    estimated from the share of packages to download.
    """

    installs: int
    downloads: int
    platform: Platform

    @classmethod
    def read(cls, told: str, platform: Platform) -> Plan:
        """Parse the output of `uv pip sync --dry-run`."""
        downloads, installs = (
            int(found[1]) if (found := re.search(rf"Would {verb} (\d+) package", told)) else 0
            for verb in ("download", "install")
        )
        return cls(max(installs, downloads), downloads, platform)

    @property
    def part(self) -> float:
        """Share of the packages to download, 0 to 1."""
        return self.downloads / self.installs if self.installs else 0.0

    def __str__(self) -> str:
        if not self.downloads:
            return f"installing {self.installs} packages, all of them already downloaded"
        gb = self.platform.download_gb * self.part
        return (
            f"installing {self.installs} packages; {self.downloads} of them will be downloaded, about "
            f"{gb:.1f} GB: some {max(1, round(gb * 8 / 0.1 / 60))} min at 100 Mbit/s.\n"
            "Ctrl-C stops it; the next start resumes and keeps what has been downloaded."
        )

    def lacks(self, folder: Path, free_gb: float) -> tuple[str, str] | None:
        """Return cause and cure if `free_gb` is not enough space to install the packages."""
        needed = self.platform.installed_gb * self.part
        if free_gb >= needed:
            return None
        return (
            f"the disk of {folder} has {free_gb:.1f} GB free, but the packages need {needed:.1f} GB",
            f"free {needed - free_gb:.1f} GB, or use another disk (clone there; UV_CACHE_DIR: uv's cache)",
        )


def existing(folder: str) -> Path:
    """Return the folder, or its nearest existing parent."""
    return next(path for path in (Path(folder), *Path(folder).parents) if path.exists())


def fingerprint(lock_file: Path) -> str:
    """Return a hash that changes with the lock file or pyproject.toml."""
    return hashlib.sha256(lock_file.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()


def install_uv() -> Path:
    """Return the path of the pinned uv; install it with pip into .bootstrap if needed."""
    uv = BOOTSTRAP / "bin" / "uv"
    mark = BOOTSTRAP / ".lock"
    pinned = (ROOT / "infra" / "bootstrap.lock").read_text()
    if uv.exists() and mark.exists() and mark.read_text() == pinned:
        return uv
    say("installing uv into .bootstrap")
    shutil.rmtree(BOOTSTRAP, ignore_errors=True)
    install = ("install", "--quiet", "--require-hashes", "-r", ROOT / "infra" / "bootstrap.lock")
    if (
        subprocess.run([sys.executable, "-m", "venv", BOOTSTRAP], capture_output=True, check=False).returncode
        == 0
    ):
        check(BOOTSTRAP / "bin" / "python", "-m", "pip", "--disable-pip-version-check", *install)
    elif (
        subprocess.run(
            [sys.executable, "-m", "pip", "--version"], capture_output=True, check=False
        ).returncode
        == 0
    ):
        shutil.rmtree(BOOTSTRAP, ignore_errors=True)
        check(sys.executable, "-m", "pip", *install, "--target", BOOTSTRAP)
    else:
        fail(
            f"{sys.executable} has neither venv nor pip",
            "install them (on Debian and Ubuntu: apt install python3-venv), or use another Python",
        )
    mark.write_text(pinned)
    return uv


def lock() -> int:
    """Resolve requirements-dev.lock, and requirements.lock as its subset; the files name no package index."""
    uv = install_uv()
    oldest = ".".join(map(str, OLDEST))
    common = ("--quiet", "--universal", "--python-version", oldest, "--all-extras", "--generate-hashes")
    plain = ("--no-annotate", "--no-header", "--no-emit-index-url", "--upgrade")
    os.chdir(ROOT)
    check(uv, "pip", "compile", *common, *plain, "--group", "dev", "pyproject.toml", "-o", DEV_LOCK.name)
    check(uv, "pip", "compile", *common, *plain, "pyproject.toml", "-c", DEV_LOCK.name, "-o", LOCK.name)
    return 0


def program(name: str) -> Path:
    """Return the path of a program in .venv."""
    return VENV / "bin" / name


def test(options: list[str]) -> int:
    """Run the named tests; by default all but the long ones, with --long only these, with --all all."""
    if any((ROOT / option.split("::")[0]).exists() for option in options):
        return run(program("pytest"), *options)
    parts = {"--all": (), "--long": ("-m", "long")}
    which = next((parts[option] for option in options if option in parts), ("-m", "not long"))
    given = [option for option in options if option not in parts]
    return run(program("pytest"), *SPREAD, *which, *given)


def environment() -> dict[str, str]:
    """Return the environment of this process, with the programs of .venv first on PATH.

    PYTHONDONTWRITEBYTECODE, which many images set, is removed, so that bytecode is kept in the project:
    `time python -c "import bertopic"` takes 23 seconds of CPU time without bytecode, and 9 with it.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}


def run(*command: str | Path) -> int:
    """Run a command in the project's folder; return its exit code."""
    try:
        return subprocess.run(
            [str(part) for part in command], cwd=ROOT, env=environment(), check=False
        ).returncode
    except KeyboardInterrupt:
        return INTERRUPTED


def check(*command: str | Path) -> None:
    """Run a command of the set-up; exit with an error if it fails."""
    output(*command, capture=False)


def output(*command: str | Path, capture: bool = True) -> str:
    """Run a command of the set-up; return its output, or "" if it is not captured; exit if it fails."""
    given = os.environ.copy()
    if "PIP_INDEX_URL" in given:  # uv does not read pip's settings
        given.setdefault("UV_DEFAULT_INDEX", given["PIP_INDEX_URL"])
    given.pop("VIRTUAL_ENV", None)
    parts = [str(part) for part in command]
    try:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if capture else {}
        done = subprocess.run(parts, env=given, check=False, text=True, **pipes)
    except KeyboardInterrupt:
        say("interrupted: downloads are kept; run the command again to resume")
        sys.exit(INTERRUPTED)
    if done.returncode != 0:
        say(done.stdout or "")
        full = shutil.disk_usage(ROOT).free < 2e8
        fail(
            f"{' '.join(Path(part).name for part in parts[:3])} failed (see its output above)",
            "free some space: the disk is full"
            if full
            else "check that the network and the package index are reachable, then run this again: "
            "downloads are kept",
        )
    return done.stdout or ""


def say(text: str) -> None:
    """Print a message to the user on stderr."""
    print(text, file=sys.stderr, flush=True)


def fail(cause: str, cure: str) -> None:
    """Print an error with cause and cure, and exit with code 1."""
    say(f"error: {cause}\n  cure: {cure}")
    sys.exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
