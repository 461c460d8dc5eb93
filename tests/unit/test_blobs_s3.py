"""The blob store on S3, against a server: what one process writes, the others see at once."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from s3fs import S3FileSystem

from streams.errors import DataError
from streams.state.blobs import Blobs
from streams.state.leases import Lease
from tests.processes import ROOT
from tests.s3_server import BUCKET, s3_server

ANOTHER = """
import sys
from streams.state.blobs import Blobs
blobs = Blobs(sys.argv[1])
blobs.put("sources/new", b"by another process")
blobs.delete("sources/old")
print(blobs.create("log/1", b"by another process"), blobs.create("log/2", b"by another process"))
"""
numbers = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """Run an S3 server that this process and its children use."""
    with s3_server() as variables, pytest.MonkeyPatch.context() as environment:
        for name, value in variables.items():
            environment.setenv(name, value)
        S3FileSystem.clear_instance_cache()  # its clients keep the address that they were made for
        yield
        S3FileSystem.clear_instance_cache()


@pytest.fixture
def url(server: None) -> str:
    return f"s3://{BUCKET}/study-{next(numbers)}"


@pytest.fixture
def blobs(url: str) -> Blobs:
    return Blobs(url)


def test_bytes_come_back(blobs: Blobs, tmp_path: Path) -> None:
    blobs.check()
    blob = blobs.put("a/b", b"words")
    assert (blobs.read(blob), blobs.find("a/b"), blobs.find("a/c")) == (b"words", blob, None)
    assert list(blobs.keys("a")) == ["a/b"] and list(blobs.keys("b")) == []
    with pytest.raises(DataError, match="the blob a/c is not in s3://talks/study-"):
        blobs.get("a/c")
    recording = tmp_path / "talk.ogg"
    recording.write_bytes(bytes(range(256)) * 50_000)
    stored = blobs.put_file("audio/talk.ogg", recording, move=True)
    assert not recording.exists()
    with blobs.local_file(stored, tmp_path / "copies") as copy:
        assert copy.read_bytes() == bytes(range(256)) * 50_000
    assert list((tmp_path / "copies").iterdir()) == []
    blobs.delete("a/b")
    blobs.delete("a/b")
    assert not blobs.exists("a/b")


def test_what_another_process_does_is_seen_at_once(blobs: Blobs, url: str) -> None:
    blobs.put("sources/old", b"")
    assert blobs.create("log/1", b"by this process")
    before = [blobs.exists(f"sources/{name}") for name in ("old", "new")]
    assert (before, list(blobs.keys("sources"))) == ([True, False], ["sources/old"])
    done = subprocess.run(
        [sys.executable, "-c", ANOTHER, url], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["False", "True"], done.stderr
    after = [blobs.exists(f"sources/{name}") for name in ("old", "new")]
    assert (after, list(blobs.keys("sources"))) == ([False, True], ["sources/new"])
    assert not blobs.create("log/2", b"by this process")
    assert [blobs.get(f"log/{number}") for number in (1, 2)] == [b"by this process", b"by another process"]


def test_of_many_at_once_one_creates(url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda number: Blobs(url).create("log/1", str(number).encode()), range(8)))
    assert won.count(True) == 1
    assert Blobs(url).get("log/1") == str(won.index(True)).encode()


def test_a_lease_is_held_by_one(url: str) -> None:
    clock = [0.0]
    one, other = (Lease(Blobs(url), "talk", owner, 60, lambda: clock[0]) for owner in ("one", "other"))
    assert one.acquire() and not other.acquire()
    clock[0] = 30.0
    assert one.renew() and not other.acquire()
    clock[0] = 91.0
    assert other.acquire() and not one.renew(), "it stalled, and the other continues"
    other.release()
    assert one.acquire()
