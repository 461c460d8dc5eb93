"""While a groundswell starts, other commands wait for it; a database that does not open says why."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.settings import Settings
from streams.store.process_lock import holder_of, take
from tests.processes import GIVE_UP_S, ROOT, Process, Study, until

HEAVY = {"torch", "bertopic", "sklearn", "scipy", "pandas", "faust", "kafka", "yt_dlp", "fastapi", "river"}
FOR_THE_DATABASE = {"chdb", "clickhouse_connect", "clickhouse_migrations", "numpy", "structlog", "fsspec"}
IMPORTED = """
import json, sys
from agents.cli import app
try:
    app(sys.argv[1:], standalone_mode=False)
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""

OTHER_PROGRAM = """
import chdb, sys
kept = chdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""
AS_NOBODY = """
import contextlib, io, os, pathlib, sys, traceback
from agents.cli import app, main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    app(sys.argv[1:], standalone_mode=False)
for known in pathlib.Path(os.environ["GROUNDSWELL_HOME"]).rglob("answers.json"):
    known.unlink()
os.setresuid(65534, 65534, 65534)
main()
"""


def settings_of(study: Study) -> Settings:
    return Settings(home=study.home, study=study.name)


def imported_by(study: Study, *command: str) -> set[str]:
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTED, *command],
        env=study.env(PYTHONPATH=str(ROOT)),
        cwd=study.home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return set(json.loads(ended.stdout.splitlines()[-1]))


def is_starting(study: Study, process: Process) -> bool:
    assert process.alive, process.said()
    holder = holder_of(settings_of(study).lock_file)
    return holder is not None and (holder.pid, holder.kind) == (process.popen.pid, "page")


@pytest.mark.long
def test_commands_and_a_start_wait_for_one_another(study: Study) -> None:
    lock = settings_of(study).lock_file
    with take(lock, say=print):  # as a command that reads
        command, run = study.start("topics"), study.start("run")
        awaited = f"waiting for another groundswell command (pid {os.getpid()})"
        until(lambda: awaited in command.said() and awaited in run.said())
        assert command.alive
        assert run.alive
    until(lambda: is_starting(study, run))  # before the command, or after it
    run.popen.send_signal(signal.SIGSTOP)  # so that it is still starting when they look, however busy it is
    second, asked = study.start("run"), study.start("status")
    assert second.popen.wait(GIVE_UP_S) == 2
    assert f"already running (pid {run.popen.pid}, starting" in second.said()
    until(lambda: f"waiting for the groundswell that is starting (pid {run.popen.pid}) …" in asked.said())
    run.popen.send_signal(signal.SIGCONT)
    assert command.popen.wait(GIVE_UP_S) == 0
    assert asked.popen.wait(GIVE_UP_S) == 0
    assert study.url in asked.said()
    for command_name in ("status", "topics"):
        imported = imported_by(study, command_name)
        assert not imported & (HEAVY | FOR_THE_DATABASE | {"httpx", "models"})
    assert run.stop(seconds=GIVE_UP_S) == 0
    for command_name in ("status", "topics"):  # the process that ended has kept what they ask
        assert not imported_by(study, command_name) & (HEAVY | FOR_THE_DATABASE | {"httpx", "torch"})
    opening = imported_by(study, "themes")
    assert "chdb" in opening
    assert not opening & (HEAVY | {"httpx", "torch"})
    for process in (command, run, second, asked):
        assert "Code: " not in process.said()
        assert "Traceback" not in process.said()


@pytest.mark.long
def test_the_first_sign_in_is_told_at_a_terminal_only(study: Study) -> None:
    in_a_log = study.start("web")
    study.until_serving(in_a_log)
    assert "first curator" not in in_a_log.said()
    in_a_log.kill()

    terminal, its_process = pty.openpty()
    study.until_serving(study.start("web", terminal=its_process))
    said = b""
    while b"first curator, open" not in said or not said.endswith(b"\n"):
        said += os.read(terminal, 10_000)
    link = re.search(r"http://127\.0\.0\.1:\d+/login\?first=[\w-]+", said.decode())
    assert link, said
    with urllib.request.urlopen(link[0], timeout=GIVE_UP_S) as page:
        assert "Your name" in page.read().decode()


@pytest.mark.long
def test_the_page_alone_makes_a_new_study(study: Study) -> None:
    study.until_serving(study.start("web"))
    with urllib.request.urlopen(study.url, timeout=GIVE_UP_S) as page:
        assert "groundswell sources add URL" in page.read().decode()
    assert study.api("themes") == []


@pytest.mark.long
def test_what_is_still_starting_is_stopped(study: Study) -> None:
    process = study.start("run")
    until(lambda: is_starting(study, process))
    stopped = study.cli("stop")
    assert f"stopped (pid {process.popen.pid})" in stopped.stderr
    assert not process.alive
    assert "not running" in study.cli("stop").stderr


@pytest.mark.long
def test_many_commands_at_once_all_answer(study: Study) -> None:
    commands = [study.start("topics", "genealogy"), study.start("topics"), study.start("status")]
    assert [process.popen.wait(GIVE_UP_S) for process in commands] == [0, 0, 0]
    assert all("Code: " not in process.said() for process in commands)


@pytest.mark.long
def test_a_database_copied_without_its_links_is_called_that(study: Study) -> None:
    assert study.cli("topics").returncode == 0
    folder = settings_of(study).database_folder
    copied = folder.with_name("copied")
    shutil.copytree(folder, copied)  # follows symbolic links
    shutil.rmtree(folder)
    copied.rename(folder)
    assert_refused(study.cli("themes"), 2, f"ClickHouse in {folder} is incomplete or damaged (", "cp -a")


def test_what_another_program_has_open_is_called_that(study: Study) -> None:
    folder = settings_of(study).database_folder
    program = (
        "import chdb, sys; kept = chdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    refused = study.cli("topics")
    other.communicate("")
    assert_refused(refused, 3, f"{folder} is in use by a process that is not groundswell", "fuser")


def test_a_file_where_the_database_should_be_is_called_that(study: Study) -> None:
    folder = settings_of(study).database_folder
    folder.parent.mkdir(parents=True)
    folder.write_text("")
    assert_refused(study.cli("topics"), 2, f"{folder} is a file", "move it away")


@pytest.mark.long
def test_a_folder_of_somebody_else_is_called_that() -> None:
    with readable_by_all() as home:
        study = Study(home / "groundswell")
        assert study.cli("topics").returncode == 0
        folder = settings_of(study).database_folder
        assert_refused(
            as_nobody(study, "topics"), 2, "cannot be used (it is not writable)", "GROUNDSWELL_HOME"
        )
        study.home.chmod(0o777)
        refused = as_nobody(study, "topics")
        assert_refused(
            refused, 2, f"{folder.parent} cannot be written (Permission denied)", "GROUNDSWELL_HOME"
        )
        settings_of(study).lock_file.chmod(0o666)
        refused = as_nobody(study, "topics")
        assert_refused(refused, 2, f"ClickHouse in {folder} cannot be written (Permission denied)")
        folder.chmod(0o777)  # the folder, and nothing in it
        refused = as_nobody(study, "topics")
        assert_refused(refused, 2, f"ClickHouse in {folder} cannot be written (Permission denied)")


def assert_refused(answer: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert answer.returncode == code, answer
    assert answer.stdout == ""
    lines = answer.stderr.splitlines()
    assert [line.split(": ")[0].strip() for line in lines] == ["error", "cure"], answer.stderr
    assert all(word in answer.stderr for word in words), answer.stderr


@contextmanager
def readable_by_all() -> Iterator[Path]:
    """A folder that other users may look into, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def as_nobody(study: Study, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user who may read the study, and perhaps not where Python is: so all is imported."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    return subprocess.run(
        [sys.executable, "-c", AS_NOBODY, command],
        env=study.env(PYTHONPATH=str(ROOT)),
        cwd=study.home,
        capture_output=True,
        text=True,
        check=False,
    )
