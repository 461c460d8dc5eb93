"""One process has the embedded database open; the others see which one and wait for it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agents.instance.running_instance import alone, beginning, find, serving, starting
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings
from streams.store.process_lock import DatabaseBusy, Holder, holder_of, take
from tests.processes import ROOT

PROGRAM = """
import sys
from pathlib import Path
from streams.store.process_lock import take
with take(Path(sys.argv[1]), sys.argv[2], say=print):
    print("holds", flush=True)
    sys.stdin.readline()
"""


LOOK = """
import sys
from pathlib import Path
from streams.store.process_lock import holder_of
print(holder_of(Path(sys.argv[1])))
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, study="held")


@contextmanager
def held_by_another(settings: Settings, kind: str) -> Iterator[subprocess.Popen[str]]:
    other = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(settings.lock_file), kind],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "holds\n"
        yield other
    finally:
        other.kill()
        other.communicate()


def test_a_killed_process_holds_nothing(settings: Settings) -> None:
    said: list[str] = []
    with held_by_another(settings, "page") as other:
        assert holder_of(settings.lock_file) == Holder(other.pid, "page")
        other.kill()
        other.wait()
        assert holder_of(settings.lock_file) is None
        with take(settings.lock_file, say=said.append):
            assert holder_of(settings.lock_file) is None  # nobody else
    assert said == []


def test_the_clients_of_one_process_share_its_hold(settings: Settings) -> None:
    first, second = (take(settings.lock_file, say=print) for _ in range(2))
    first.release()
    first.release()

    def seen() -> str:
        command = [sys.executable, "-c", LOOK, str(settings.lock_file)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    assert seen() == f"another groundswell command (pid {os.getpid()})"
    second.release()
    assert seen() == "None"


def test_a_command_is_waited_for_and_named(settings: Settings) -> None:
    said: list[str] = []
    with held_by_another(settings, "command") as other:

        def say(text: str) -> None:
            said.append(text)
            assert other.stdin is not None
            other.stdin.write("\n")
            other.stdin.flush()

        take(settings.lock_file, say=say).release()
        name = f"another groundswell command (pid {other.pid})"
        assert said == [f"waiting for {name}, which has the study's database open …"]


def test_a_command_that_does_not_end_is_not_waited_for_for_ever(settings: Settings) -> None:
    with held_by_another(settings, "command") as other, pytest.raises(DatabaseBusy) as raised:
        take(settings.lock_file, say=print, patience_s=0.2)
    assert f"another groundswell command (pid {other.pid})" in raised.value.cause
    assert str(settings.database_folder) in raised.value.cause


def test_a_worker_is_not_waited_for(settings: Settings) -> None:
    with (
        held_by_another(settings, "worker") as other,
        pytest.raises(DatabaseBusy, match=f"worker .pid {other.pid}"),
    ):
        take(settings.lock_file, say=print)


def test_what_starts_is_waited_for_and_then_found(settings: Settings) -> None:
    said: list[str] = []
    with held_by_another(settings, "page") as other:

        def say(text: str) -> None:
            said.append(text)
            settings.running_file.write_text(f'{{"pid": {other.pid}, "url": "http://x", "broker": ""}}')

        assert serving(settings) is None
        assert starting(settings) == Holder(other.pid, "page")
        found = find(settings, say=say)
        assert found is not None
        assert (found.pid, found.url) == (other.pid, "http://x")
        assert said == [f"waiting for the groundswell that is starting (pid {other.pid}) …"]
        assert starting(settings) is not None  # it holds the database all along
        with pytest.raises(Misconfigured, match="is already running"), alone(settings):
            pass
    assert find(settings) is None  # killed: its file means nothing


@pytest.mark.skipif(not beginning(os.getpid()), reason="this system does not say when a process began")
def test_a_clock_that_is_set_ends_no_process(settings: Settings) -> None:
    """Without an embedded database nothing is locked: the file alone says which process it is."""
    pid = os.getpid()
    about = {"pid": pid, "url": "http://x", "broker": "", "began": beginning(pid)}
    settings.running_file.parent.mkdir(parents=True, exist_ok=True)
    settings.running_file.write_text(json.dumps(about))
    os.utime(settings.running_file, (0, 0))  # as if the clock had been set forward since
    found = serving(settings)
    assert found is not None and found.pid == pid
    settings.running_file.write_text(json.dumps(about | {"began": "1"}))
    assert serving(settings) is None, "another process has the number now"
    del about["began"]  # as an earlier version announces itself
    settings.running_file.write_text(json.dumps(about))
    assert serving(settings) is not None
    os.utime(settings.running_file, (0, 0))
    assert serving(settings) is None


def test_what_never_gets_ready_is_not_waited_for_for_ever(settings: Settings) -> None:
    with held_by_another(settings, "page") as other:
        with pytest.raises(Unavailable, match=f"pid {other.pid}.*does not serve"):
            find(settings, say=lambda _: None, patience_s=0.3)
        with pytest.raises(Misconfigured, match=r"already running.*starting or stopping"), alone(settings):
            pass


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[1, 2]",
        b"7",
        b"null",
        b'"pid"',
        b"{}",
        b'{"pid": 1}',
        b'{"pid": "1", "url": "http://x", "broker": ""}',
        b'{"pid": -1, "url": "http://x", "broker": ""}',
        b'{"pid": 99999999999999999999, "url": "http://x", "broker": ""}',
        b'{"pid": 1, "url": null, "broker": ""}',
        b'{"pid": 1, "url": "http://x", "bro',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
def test_a_file_that_is_none_of_ours_is_ignored(settings: Settings, content: bytes) -> None:
    settings.study_home.mkdir(parents=True)
    settings.running_file.write_bytes(content)
    assert find(settings) is None


def test_a_lock_file_of_another_shape_names_nobody(settings: Settings) -> None:
    with held_by_another(settings, "page"):
        for content in (b"", b"[]", b"7", b'{"pid": "x", "kind": "page"}', b'{"pid": 1, "kind": 2}', b"\xff"):
            settings.lock_file.write_bytes(content)
            assert holder_of(settings.lock_file) == Holder()


def test_a_running_file_that_cannot_be_read_says_so(settings: Settings) -> None:
    settings.running_file.mkdir(parents=True)
    with pytest.raises(Misconfigured, match=r"running\.json cannot be read"):
        find(settings)


def test_this_process_is_found_while_it_serves(settings: Settings) -> None:
    with alone(settings):
        settings.running_file.write_text(f'{{"pid": {os.getpid()}, "url": "http://x", "broker": ""}}')
        found = find(settings)
        assert found is not None
        assert found.pid == os.getpid()
