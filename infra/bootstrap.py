#!/usr/bin/env python3
"""Sets everything up on a machine that has only git and Python, then runs a command.

    python3 infra/bootstrap.py demo        sample talks through the whole path; ends with the page's address
    python3 infra/bootstrap.py test        the tests that take minutes; what follows goes to pytest
    python3 infra/bootstrap.py test --all  every test; --long: those that "test" leaves out
    python3 infra/bootstrap.py check       lint, formatting, types, import rules, dependencies, documentation
    python3 infra/bootstrap.py lock        resolve the dependencies anew and write the lock files
    python3 infra/bootstrap.py …           anything else is given to groundswell

It makes .bootstrap (uv, pinned by hash) and .venv (everything in the lock file, by hash) in the project's
folder; what it runs keeps data and caches in the user's folders. The second time it only starts the command.
Standard library only.
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
"""The exit code of what Ctrl-C ended."""
OLDEST, NEWEST = (3, 11), (3, 13)


@dataclass(frozen=True)
class Platform:
    """A platform for which every package of the lock file has a wheel."""

    release: tuple[int, ...]
    """The oldest glibc, or macOS, that the wheels run on."""
    download_gb: float
    installed_gb: float


PLATFORMS = {
    ("linux", "x86_64"): Platform((2, 28), 3.6, 6.0),
    ("darwin", "arm64"): Platform((14, 0), 0.9, 2.5),
}
"""`infra/platforms.py` says what there is to download for each, and what others lack."""
SPREAD = ("--numprocesses", "3", "--dist", "loadfile", "--no-loadscope-reorder")
"""Files go to processes as a whole, for what their tests share. In the order of their names, which mixes long
files with short ones; pytest-xdist would leave those with few tests, the slow ones, for the end."""
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports", "--no-cache"),
    ("deptry", "agents", "models", "streams"),
    ("codespell", "docs", "infra/decisions", "README.md", "CONTRIBUTING.md"),
)


def main(arguments: list[str]) -> int:
    """Set up what the command needs and run it; return its exit code."""
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
    """Return the C library's name and version on Linux, "macOS" and its version there."""
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
            "run this command with another one, such as python3.12",
        )
    known = PLATFORMS.get((system, machine))
    if known is None:
        return (
            f"this is {system} on {machine}: some packages have no wheels for it",
            "use Linux on x86_64 or macOS on Apple silicon; on Windows, WSL 2 is such a Linux",
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
    """Install exactly what `lock_file` says; do nothing when that was done before.

    What the tests need includes what the program needs, so an environment for tests serves both.
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
    """What uv is about to do: how many packages it installs, and how many of them it has to download first.

    What an interrupted run has downloaded is in uv's cache, and not downloaded again. The size of what is
    missing is taken for its share of the packages.
    """

    installs: int
    downloads: int
    platform: Platform

    @classmethod
    def read(cls, told: str, platform: Platform) -> Plan:
        """Return the plan that `uv pip sync --dry-run` told."""
        downloads, installs = (
            int(found[1]) if (found := re.search(rf"Would {verb} (\d+) package", told)) else 0
            for verb in ("download", "install")
        )
        return cls(max(installs, downloads), downloads, platform)

    @property
    def part(self) -> float:
        """The part of the packages that has to be downloaded."""
        return self.downloads / self.installs if self.installs else 0.0

    def __str__(self) -> str:
        if not self.downloads:
            return f"installing {self.installs} packages, all downloaded before"
        gb = self.platform.download_gb * self.part
        return (
            f"installing {self.installs} packages; {self.downloads} of them have to be downloaded, about "
            f"{gb:.1f} GB: some {max(1, round(gb * 8 / 0.1 / 60))} min at 100 Mbit/s.\n"
            "Ctrl-C stops it, and the next start goes on with what has been downloaded by then."
        )

    def lacks(self, folder: Path, free_gb: float) -> tuple[str, str] | None:
        """Return cause and cure if a disk with `free_gb` has no room for what comes."""
        needed = self.platform.installed_gb * self.part
        if free_gb >= needed:
            return None
        return (
            f"the disk of {folder} has {free_gb:.1f} GB free, and the packages take {needed:.1f} GB",
            f"free {needed - free_gb:.1f} GB, or use another (a clone there; UV_CACHE_DIR for uv's cache)",
        )


def existing(folder: str) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(path for path in (Path(folder), *Path(folder).parents) if path.exists())


def fingerprint(lock_file: Path) -> str:
    """Return what tells one installation from another."""
    return hashlib.sha256(lock_file.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()


def install_uv() -> Path:
    """Return a pinned uv, installed by pip into a folder of its own."""
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
    """Resolve anew: requirements-dev.lock, and requirements.lock as its subset. No registry is named."""
    uv = install_uv()
    oldest = ".".join(map(str, OLDEST))
    common = ("--quiet", "--universal", "--python-version", oldest, "--all-extras", "--generate-hashes")
    plain = ("--no-annotate", "--no-header", "--no-emit-index-url", "--upgrade")
    os.chdir(ROOT)
    check(uv, "pip", "compile", *common, *plain, "--group", "dev", "pyproject.toml", "-o", DEV_LOCK.name)
    check(uv, "pip", "compile", *common, *plain, "pyproject.toml", "-c", DEV_LOCK.name, "-o", LOCK.name)
    return 0


def program(name: str) -> Path:
    """Return a program of the environment."""
    return VENV / "bin" / name


def test(options: list[str]) -> int:
    """Run the tests that are named; else those that take minutes, with --long the others, with --all both."""
    if any((ROOT / option.split("::")[0]).exists() for option in options):
        return run(program("pytest"), *options)
    parts = {"--all": (), "--long": ("-m", "long")}
    which = next((parts[option] for option in options if option in parts), ("-m", "not long"))
    given = [option for option in options if option not in parts]
    return run(program("pytest"), *SPREAD, *which, *given)


def environment() -> dict[str, str]:
    """Return this process's, with the programs of the project first.

    Its bytecode is kept, in the project's own folders, also where PYTHONDONTWRITEBYTECODE is set, as it is in
    many images: `time python -c "import bertopic"` says 23 seconds of processor without it, and 9 with it.
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
    """Run a command of the set-up, which has to succeed."""
    output(*command, capture=False)


def output(*command: str | Path, capture: bool = True) -> str:
    """Run a command of the set-up, which has to succeed; return what it says, or let it be seen."""
    given = os.environ.copy()
    if "PIP_INDEX_URL" in given:  # uv does not read pip's settings
        given.setdefault("UV_DEFAULT_INDEX", given["PIP_INDEX_URL"])
    given.pop("VIRTUAL_ENV", None)
    parts = [str(part) for part in command]
    try:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if capture else {}
        done = subprocess.run(parts, env=given, check=False, text=True, **pipes)
    except KeyboardInterrupt:
        say("interrupted: what has been downloaded is kept; run the command again to go on")
        sys.exit(INTERRUPTED)
    if done.returncode != 0:
        say(done.stdout or "")
        full = shutil.disk_usage(ROOT).free < 2e8
        fail(
            f"{' '.join(Path(part).name for part in parts[:3])} failed (its words are above)",
            "free some space: the disk is full"
            if full
            else "check the network and that the package index is reachable, then run this again: "
            "what has been downloaded is kept",
        )
    return done.stdout or ""


def say(text: str) -> None:
    """Tell the person, on stderr."""
    print(text, file=sys.stderr, flush=True)


def fail(cause: str, cure: str) -> None:
    """End with an error that names cause and cure."""
    say(f"error: {cause}\n  cure: {cure}")
    sys.exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
