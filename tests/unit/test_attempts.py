"""Deaths of a process: which ones count against the event, how many are allowed, and the crash record."""

import asyncio
import errno
import signal
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.consumer.error_attribution import is_the_events
from models.errors import ModelUnavailable
from streams.errors import DataError, Fatal, Misconfigured, Unavailable
from streams.state.attempts import DEATHS, Attempts, RepeatedDeathError
from streams.state.blobs import Blobs
from streams.state.crashes import CrashRecord, crashes


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def database(text: str) -> Exception:
    from clickhouse_connect.driver.exceptions import DatabaseError

    return DatabaseError(text)


def kafka() -> Exception:
    from aiokafka.errors import KafkaConnectionError

    return KafkaConnectionError("gone")


def decoding() -> UnicodeError:
    try:
        "\ud83d".encode()
    except UnicodeError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (TypeError("detect(): incompatible function arguments"), True),
        (decoding(), True),
        (OverflowError("date value out of range"), True),
        (AssertionError(), True),
        (RecursionError(), True),
        (OSError(errno.ENAMETOOLONG, "File name too long"), True),
        (IsADirectoryError(errno.EISDIR, "Is a directory"), True),
        (database("Code: 6. DB::Exception: Cannot parse string"), True),
        (database("Unable to create native array for column `month`"), True),
        (DataError("what settle() refuses", "c"), True),
        (caused(RuntimeError("remote"), KeyError("x")), True),
        (OSError(errno.ENOSPC, "No space left on device"), False),
        (PermissionError(errno.EACCES, "Permission denied"), False),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), False),
        (TimeoutError(), False),
        (MemoryError(), False),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), False),
        (BrokenProcessPool("a child was killed"), False),
        (database("Code: 241. DB::Exception: Memory limit (total) exceeded"), False),
        (database("Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space"), False),
        (kafka(), False),
        (Unavailable("c", "c"), False),
        (Misconfigured("c", "c"), False),
        (Fatal("c", "c"), False),
        (ModelUnavailable("c", "c"), False),
        (ImportError("no torch"), False),
        (caused(RuntimeError("it failed"), OSError(errno.ENOSPC, "No space left on device")), False),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_what_is_around_an_event_is_not_counted_against_it(error: Exception, counts: bool) -> None:
    assert is_the_events(error) is counts


Happened = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["died", "done", "restarted"])), max_size=30
)


@given(Happened)
@settings(deadline=None)
def test_an_event_is_given_up_at_its_third_death_in_a_row(happened: list[tuple[str, str]]) -> None:
    """The count is independent of other events and of restarts."""
    blobs = Blobs("memory://attempts")
    for key in list(blobs.keys("attempts")):
        blobs.delete(key)
    deaths = dict.fromkeys("abc", 0)

    async def live() -> None:
        attempts = Attempts(blobs, "screen")
        for event, what in happened:
            if what == "died":
                deaths[event] += 1
                await attempts.died([event], "TypeError: x", "Traceback")
            elif what == "done":
                deaths[event] = 0
                await attempts.done([event])
            else:
                attempts = Attempts(blobs, "screen")
                await attempts.look_again()
            for each, count in deaths.items():
                if count >= DEATHS:
                    with pytest.raises(RepeatedDeathError, match=r"groundswell failed on this three times"):
                        await attempts.begin(each)
                else:
                    assert await attempts.begin(each) is (count > 0)
        other = Attempts(blobs, "split")
        await other.look_again()
        assert not any([await other.begin(each) for each in "abc"])

    asyncio.run(live())
    assert len(list(blobs.keys("attempts"))) == sum(count > 0 for count in deaths.values())


async def test_a_damaged_mark_counts_anew(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    attempts = Attempts(blobs, "screen")
    await attempts.died(["a"], "TypeError: x", "t" * 100_000)
    (key,) = blobs.keys("attempts")
    assert len(blobs.get(key)) < 21_000
    blobs.put(key, b"\xff{")
    assert await attempts.begin("a") is True
    await attempts.died(["a"], "TypeError: x", "")
    assert b'"deaths": 1' in blobs.get(key)


CHILD = """
import faulthandler, os, signal, sys, types
from pathlib import Path
from streams.state.crashes import CrashRecord

record = CrashRecord(Path(sys.argv[1]))
split, track = record.of("split"), record.of("track")
for event in ("a", "b", "c"):
    split.begin(event)
track.begin("innocent")
split.done("a")
code = compile("def handle(die): die()", "/somewhere/agents/topics/split.py", "exec")
names = {}
exec(code, names)
die = {
    "segfault": faulthandler._sigsegv,
    "abort": lambda: os.kill(os.getpid(), signal.SIGABRT),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "term": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "close": record.close,
}[sys.argv[2]]
names["handle"](die)
"""


@pytest.mark.parametrize(
    ("way", "number", "why"),
    [
        ("segfault", signal.SIGSEGV, "Segmentation fault"),
        ("abort", signal.SIGABRT, "Aborted"),
        ("kill", signal.SIGKILL, None),
        ("term", signal.SIGTERM, None),
        ("close", 0, None),
    ],
)
def test_a_crash_is_told_from_a_kill_and_names_its_event(
    tmp_path: Path, way: str, number: int, why: str | None
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), way], check=False, capture_output=True
    )
    assert ended.returncode == -number, ended.stderr
    alive = CrashRecord(tmp_path)
    alive.of("split").begin("of one that lives")
    found = [(crash.agent, crash.event_ids, crash.why) for crash in crashes(tmp_path)]
    assert found == ([("split", ("b", "c"), why)] if why else [])
    assert len(list(tmp_path.iterdir())) == 1, "told once"
    assert list(crashes(tmp_path)) == []
    alive.close()
    assert list(tmp_path.iterdir()) == []
