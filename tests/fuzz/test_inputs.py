"""Generated inputs by the thousand: each is handed in or refused with cause and cure, and stops no other.

A few hundred run with every run, 10,000 in CI's long part, or as many as GROUNDSWELL_FUZZ_INPUTS says;
GROUNDSWELL_FUZZ_SEED says which ones. A failure names the seed and the number of the input.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import pytest

from agents.discovery.connectors import Folder
from models.errors import BadInput
from models.transcripts.captions import parse
from streams.errors import DataError
from streams.events import Source
from streams.feeds.atom import youtube_entries
from streams.feeds.podcasts import podcast
from streams.kafka.codec import decode, encode
from streams.state.blobs import Blobs
from tests.fuzz.hostile import FEEDS as FEED_KINDS
from tests.fuzz.hostile import bent, put_file, talk

FEW, MANY = 300, int(os.environ.get("GROUNDSWELL_FUZZ_INPUTS") or 10_000)
FEEDS = 4
"""One in this many inputs is a feed."""
SEED = os.environ.get("GROUNDSWELL_FUZZ_SEED") or (
    "0" if os.environ.get("CI") else str(random.getrandbits(32))
)
TOGETHER = 20
"""Files that lie in a folder together, beside a good talk."""
LONGEST_S = 10
MOST_MB = 1_000
"""By how much the memory of this process may grow at most."""
NOON = datetime(2100, 1, 1, tzinfo=UTC)
"""Long after every file was written."""
FEED = "https://feeds.example.org/feed.xml"

HOW_MANY = pytest.mark.parametrize("inputs", [FEW, pytest.param(MANY, marks=pytest.mark.long)])


class Hangs(BaseException):
    """A hang, raised as an exception that no handler catches."""


@contextmanager
def within(seconds: int, what: str) -> Iterator[None]:
    def end(_: int, frame: FrameType | None) -> None:
        raise Hangs(f"{what} takes more than {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def within_memory() -> Iterator[None]:
    kilobytes = 1024 if sys.platform == "darwin" else 1
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // kilobytes
    yield
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // kilobytes - before) / 1024
    assert grown_mb < MOST_MB, f"seed {SEED}: memory grew by {grown_mb:.0f} MB"


def numbered(number: int) -> random.Random:
    return random.Random(f"{SEED}/{number}")


@HOW_MANY
def test_the_good_talk_beside_every_bad_one_is_handed_in(tmp_path: Path, inputs: int) -> None:
    files = inputs - inputs // FEEDS
    folder, blobs = tmp_path / "talks", Blobs(str(tmp_path / "blobs"))
    handed = refused = 0
    with within_memory():
        for first in range(0, files, TOGETHER):
            what = f"seed {SEED}, inputs from {first}"
            folder.mkdir()
            for number in range(first, min(first + TOGETHER, files)):
                put_file(folder, number, numbered(number))
            good = talk(random.Random(first)) | {"id": f"good-{first}"}
            (folder / "99999.json").write_text(json.dumps(good))
            source = Source(source_id=f"folder-{first}", kind="folder", locator=str(folder), added_at=NOON)
            with within(LONGEST_S, what):
                looked = Folder(blobs, source).look(NOON)
            assert looked.seen[-1].key == good["id"], what
            for each in looked.newly:
                assert each.cause and each.cure, what
                assert " broke (" not in each.cause, f"{what}: {each.name}: {each.cause}"
            for seen in looked.seen:
                assert decode(encode(seen)) == seen, what
                assert seen.captions is not None
                with within(LONGEST_S, f"{what}: {seen.video.title!r}"):
                    _transcribed(blobs.get(seen.captions.key), what)
            Folder(blobs, source).remember(looked)
            again = Folder(blobs, source).look(NOON, looked.refused)
            assert (again.seen, again.newly) == ([], []), what
            handed, refused = handed + len(looked.seen), refused + len(looked.newly)
            shutil.rmtree(folder)
            shutil.rmtree(blobs.url)
    print(f"seed {SEED}: {files} files, {handed} talks handed in, {refused} refused")
    assert handed > files / 10 and refused > files / 10


def _transcribed(content: bytes, what: str) -> None:
    try:
        for segment in parse(content, "talk").segments:
            assert 0 <= segment.start <= segment.end, what
            segment.text.encode()
    except BadInput as error:
        assert error.cause and error.cure, what


@HOW_MANY
def test_a_feed_is_read_or_refused(inputs: int) -> None:
    read, feeds = 0, inputs // FEEDS
    with within_memory():
        for number in range(feeds):
            what = f"seed {SEED}, feed {number}"
            about = numbered(number)
            # Without end a longer one would take hours: for that it is read apart.
            body = bent(about.choice(FEED_KINDS)(about), about)[:20_000]
            for reader in (lambda body: podcast(body, FEED).episodes, youtube_entries):
                with within(LONGEST_S, what):
                    try:
                        read += len(reader(body)) > 0
                    except DataError as error:
                        assert error.cause and error.cure, what
    assert read > feeds / 10
