#!/usr/bin/env python3
"""Sets everything up on a machine that has only git and Python, then runs a command.

    python3 infra/bootstrap.py demo     sample talks through the whole path; ends with the page's address
    python3 infra/bootstrap.py test     the tests; what follows goes to pytest, and if it names none, all run
    python3 infra/bootstrap.py check    lint, formatting, types, import rules, dependencies
    python3 infra/bootstrap.py lock     resolve the dependencies anew and write the lock files
    python3 infra/bootstrap.py …        anything else is given to groundswell

It makes .bootstrap (uv, pinned by hash) and .venv (everything in the lock file, by hash) in the project's
folder; what it runs keeps data and caches in the user's folders. The second time it only starts the command.
Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOOTSTRAP, VENV = ROOT / ".bootstrap", ROOT / ".venv"
LOCK, DEV_LOCK = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
BESIDE = (("chaos", "infra", "ingestion", "path", "stream"), ("speech",))
"""Folders in tests/ that run beside the others: those whose tests start processes and wait for them, which
leaves half of two cores to the rest, and those that load the speech models."""
INTERRUPTED = 130
NO_TESTS = 5
"""The exit codes of what Ctrl-C ended, and of pytest where options leave it nothing to run."""
OLDEST, NEWEST = (3, 11), (3, 13)
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports", "--no-cache"),
    ("deptry", "agents", "models", "streams"),
)


def main(arguments: list[str]) -> int:
    """Set up what the command needs and run it; return its exit code."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        found = ".".join(map(str, sys.version_info[:3]))
        fail(
            f"this is Python {found}, groundswell needs {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}",
            "run this command with another one, such as python3.12",
        )
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
        return max(run(program(name), *options) for name, *options in CHECKS)
    return run(program("groundswell"), *arguments)


def set_up(lock_file: Path) -> None:
    """Install exactly what `lock_file` says; do nothing when that was done before.

    What the tests need includes what the program needs, so an environment for tests serves both.
    """
    mark = VENV / ".groundswell"
    wanted, enough = fingerprint(lock_file), fingerprint(DEV_LOCK)
    if mark.exists() and mark.read_text() in (wanted, enough):
        return
    uv = install_uv()
    say(f"installing the packages of {lock_file.name} (some 6 GB the first time, from PyPI)")
    quiet = () if sys.stderr.isatty() else ("--quiet",)
    if not VENV.exists():
        check(uv, "venv", "--quiet", "--python", sys.executable, VENV)
    mark.unlink(missing_ok=True)
    check(uv, "pip", "sync", *quiet, "--python", VENV, "--require-hashes", lock_file)
    check(uv, "pip", "install", "--quiet", "--python", VENV, "--no-deps", "--editable", ROOT)
    mark.write_text(wanted)


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
    common = ("--quiet", "--universal", "--python-version", "3.11", "--all-extras", "--generate-hashes")
    plain = ("--no-annotate", "--no-header", "--no-emit-index-url", "--upgrade")
    os.chdir(ROOT)
    check(uv, "pip", "compile", *common, *plain, "--group", "dev", "pyproject.toml", "-o", DEV_LOCK.name)
    check(uv, "pip", "compile", *common, *plain, "pyproject.toml", "-c", DEV_LOCK.name, "-o", LOCK.name)
    return 0


def program(name: str) -> Path:
    """Return a program of the environment."""
    return VENV / "bin" / name


def test(options: list[str]) -> int:
    """Run the tests that are named; if none is, all of them, in three parts side by side.

    The other parts are shown when they have ended. The exit code is that of a part that failed.
    """
    if any(not option.startswith("-") for option in options):
        return run(program("pytest"), *options)
    parts = [[f"tests/{name}" for name in names] for names in BESIDE]
    with ExitStack() as stack:
        beside = []
        for folders in parts:
            said = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))
            command = [str(program("pytest")), *options, *folders]
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment(), stdout=said, stderr=subprocess.STDOUT
            )
            stack.callback(end, process)
            beside.append((process, said))
            say(f"{', '.join(folders)} run beside the others, and are shown after them")
        try:
            codes = [run(program("pytest"), *options, *(f"--ignore={each}" for each in chain(*parts)))]
            say("waiting for the tests that run beside these …")
            codes += [process.wait() for process, _ in beside if INTERRUPTED not in codes]
        except KeyboardInterrupt:
            codes = [INTERRUPTED]
        for process, said in beside:
            end(process)
            said.seek(0)
            print(said.read(), flush=True)
    return verdict(codes)


def verdict(codes: list[int]) -> int:
    """Return the first code of a failure, below 0 for a signal; NO_TESTS only if no part had any test."""
    return next((code for code in codes if code not in (0, NO_TESTS)), min(codes))


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs, and wait until it has."""
    if process.poll() is None:
        process.terminate()
        process.wait()


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
    """Run a command that has to succeed."""
    given = os.environ.copy()
    if "PIP_INDEX_URL" in given:  # uv does not read pip's settings
        given.setdefault("UV_DEFAULT_INDEX", given["PIP_INDEX_URL"])
    given.pop("VIRTUAL_ENV", None)
    if subprocess.run([str(part) for part in command], env=given, check=False).returncode != 0:
        fail(
            f"{' '.join(Path(str(part)).name for part in command[:3])} failed (its words are above)",
            "check the network and that the package index is reachable, then run this again",
        )


def say(text: str) -> None:
    """Tell the person, on stderr."""
    print(text, file=sys.stderr, flush=True)


def fail(cause: str, cure: str) -> None:
    """End with an error that names cause and cure."""
    say(f"error: {cause}\n  cure: {cure}")
    sys.exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
