"""The blob store: whole or not at all, checked when read; the outbox on top of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streams.errors import DataError, Misconfigured, Unavailable
from streams.events import Sighting, Source, Video, VideoSeen
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox
from streams.state.sources import Sources, Visits, source_id

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs"))


def test_bytes_come_back(blobs: Blobs) -> None:
    blob = blobs.put("a/b", b"words")
    assert blobs.read(blob) == b"words"
    assert blobs.find("a/b") == blob
    assert (blob.size, blobs.exists("a/b"), blobs.exists("a/c"), blobs.find("a/c")) == (5, True, False, None)


def test_a_damaged_blob_is_noticed(blobs: Blobs, tmp_path: Path) -> None:
    blob = blobs.put("a", b"words")
    (tmp_path / "blobs" / "a").write_bytes(b"wordz")
    with pytest.raises(DataError, match="damaged"):
        blobs.read(blob)


def test_a_missing_blob_names_itself_and_the_store(blobs: Blobs) -> None:
    with pytest.raises(DataError, match=r"the blob nope is not in .*blobs"):
        blobs.get("nope")


@pytest.mark.parametrize("key", ["/etc/passwd", "../x", "a/../../x"])
def test_a_key_stays_inside(blobs: Blobs, key: str) -> None:
    with pytest.raises(DataError, match="relative"):
        blobs.put(key, b"")


def test_a_file_is_moved_in_whole(blobs: Blobs, tmp_path: Path) -> None:
    source = tmp_path / "talk.ogg"
    source.write_bytes(b"x" * 3_000_000)
    blob = blobs.put_file("audio/t.ogg", source, move=True)
    assert (blob.size, len(blobs.read(blob)), source.exists()) == (3_000_000, 3_000_000, False)
    with blobs.local_file(blob, tmp_path / "copies") as path:
        assert path.read_bytes() == b"x" * 3_000_000


def test_unfinished_files_are_not_listed(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put("f/2", b"")
    blobs.put("f/1", b"")
    (tmp_path / "blobs" / "f" / ".3.tmp").write_bytes(b"half")
    assert list(blobs.keys("f")) == ["f/1", "f/2"]
    assert list(blobs.keys("none")) == []


def test_only_one_creates(blobs: Blobs) -> None:
    assert blobs.create("c/1", b"mine")
    assert not blobs.create("c/1", b"theirs")
    assert blobs.get("c/1") == b"mine"
    assert list(blobs.keys("c")) == ["c/1"]


def test_the_memory_store_serves_the_same(tmp_path: Path) -> None:
    """fsspec's in-memory file system stands for remote ones: no renames, no folders."""
    blobs = Blobs("memory://groundswell-test")
    blob = blobs.put("a/b", b"words")
    assert blobs.read(blob) == b"words"
    assert list(blobs.keys("a")) == ["a/b"]
    with blobs.local_file(blob, tmp_path) as path:
        assert path.read_bytes() == b"words"
    assert list(tmp_path.iterdir()) == []
    blobs.delete("a/b")
    blobs.delete("a/b")
    assert not blobs.exists("a/b")


def seen(video_id: str, minute: int) -> VideoSeen:
    at = NOON + timedelta(minutes=minute)
    return VideoSeen(
        video=Video(video_id=video_id), sighting=Sighting(source_id="s", kind="file", seen_at=at)
    )


def test_the_outbox_keeps_the_first_sighting_in_order(blobs: Blobs) -> None:
    outbox = Outbox(blobs)
    for video_id, minute in (("b", 2), ("a", 1), ("b", 9), ("odd/id: x", 3)):
        outbox.keep(seen(video_id, minute))
    assert [event.key for event in outbox.entries()] == ["a", "b", "odd/id: x"]
    outbox.renew(seen("a", 10))
    assert [event.key for event in outbox.entries()] == ["b", "odd/id: x", "a"]


def test_a_source_added_twice_is_one(blobs: Blobs) -> None:
    sources = Sources(blobs)
    source = Source(source_id=source_id("channel", "@X"), kind="channel", locator="@X", added_at=NOON)
    assert (sources.add(source), sources.add(source)) == (True, False)
    assert source_id("channel", "@x") == source.source_id
    assert sources.visits(source.source_id).last_visit is None
    sources.remember(source.source_id, Visits(visits=1, last_visit=NOON))
    assert sources.named(source.source_id).visits.last_visit == NOON
    assert list(sources.all()) == [source]
    sources.remove(source.source_id)
    assert list(sources.all()) == []
    assert sources.visits(source.source_id).last_visit is None


@pytest.mark.parametrize("url", ["nowhere://x", "s4://bucket/x", "drive://ann:s3cret@x"])
def test_a_place_that_nobody_knows_is_said(url: str) -> None:
    with pytest.raises(Misconfigured, match="cannot be used as a blob store") as raised:
        Blobs(url)
    assert "s3://bucket/prefix" in raised.value.cure and "s3cret" not in raised.value.cause


def test_a_store_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "talk.mp3").write_bytes(b"x")
    blobs = Blobs(str(tmp_path / "file" / "blobs"))
    for write in (
        lambda: blobs.put("a", b""),
        lambda: blobs.create("a", b""),
        lambda: blobs.put_file("a", tmp_path / "talk.mp3"),
    ):
        with pytest.raises(Unavailable, match=r"cannot be read or written \(Not a directory\)") as raised:
            write()
        assert "GROUNDSWELL_BLOBS" in raised.value.cure
    with pytest.raises(DataError, match="key is too long"):
        Blobs(str(tmp_path)).put("x" * 300, b"")


def test_a_store_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(Unavailable, match="s3://talks/main cannot be read or written"):
        Blobs("s3://talks/main").put("a", b"")


def test_a_file_where_keys_should_be_is_said(blobs: Blobs) -> None:
    blobs.put("sources", b"")
    with pytest.raises(Unavailable, match=r"cannot be read or written .sources is a file"):
        list(blobs.keys("sources"))
