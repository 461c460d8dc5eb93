"""Tests of parking: a waiting video is parked durably and once until it is due, despite kills."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streams.errors import DataError
from streams.events import Event, Sighting, Video, VideoAccepted, VideoParked, VideoSeen
from streams.state.blobs import Blobs
from streams.state.parked_videos import RESCAN, RESEND, ParkingLot

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs"))


@pytest.fixture
def lot(blobs: Blobs) -> ParkingLot:
    return ParkingLot(blobs)


def seen(video_id: str, at: datetime = NOON, kind: str = "channel") -> VideoSeen:
    sighting = Sighting(source_id="s", kind=kind, seen_at=at)  # type: ignore[arg-type]
    return VideoSeen(video=Video(video_id=video_id, title="Ünïcode\u202e"), sighting=sighting)


def parked(
    video_id: str, until: datetime | None, state: str = "recheck", attempt: int = 1, at: datetime = NOON
) -> VideoParked:
    return VideoParked(
        video=Video(video_id=video_id, title="Ünïcode\u202e"),
        state=state,  # type: ignore[arg-type]
        reason="it waits",
        until=until,
        attempt=attempt,
        parked_at=at,
    )


def test_what_is_parked_comes_back_whole(lot: ParkingLot) -> None:
    waits, again = parked("a", NOON + HOUR), seen("a")
    assert lot.get("a") is None
    assert lot.park(waits, again) == waits
    kept = lot.get("a")
    assert kept is not None
    assert (kept.parked, kept.again, kept.counts, kept.pauses) == (waits, again, "recheck", 0)
    assert not kept.given_up
    lot.leave("a")
    lot.leave("a")
    assert lot.get("a") is None


def test_parking_the_same_again_changes_nothing(lot: ParkingLot, blobs: Blobs) -> None:
    for state in ("upcoming", "paused"):
        lot.park(parked("a", NOON, state), seen("a"))
        before = blobs.get(lot.key("a"))
        lot.park(parked("a", NOON, state), seen("a"))
        assert blobs.get(lot.key("a")) == before
    assert len(list(blobs.keys("parked"))) == 1


def test_a_pause_remembers_what_the_attempts_were_for(lot: ParkingLot) -> None:
    lot.park(parked("a", NOON, "recheck", 3), seen("a"))
    for count in (1, 2):
        lot.park(parked("a", NOON, "paused", 3, at=NOON + count * HOUR), seen("a"))
        kept = lot.get("a")
        assert kept is not None
        assert (kept.counts, kept.parked.attempt, kept.pauses) == ("recheck", 3, count)
    lot.park(parked("a", NOON, "live"), seen("a"))
    kept = lot.get("a")
    assert kept is not None
    assert (kept.counts, kept.pauses) == ("live", 0)


def test_a_parking_is_on_the_disk_before_anybody_is_told(tmp_path: Path) -> None:
    script = (
        "import os, sys; sys.path.insert(0, os.getcwd())\n"
        "from tests.ingestion.test_parking import *\n"
        "lot = ParkingLot(Blobs(sys.argv[1]))\n"
        "lot.park(parked('a', NOON), seen('a'))\n"
        "os.kill(os.getpid(), 9)"
    )
    where = str(tmp_path / "blobs")
    died = subprocess.run([sys.executable, "-c", script, where], check=False, env=os.environ)
    assert died.returncode == -9
    assert ParkingLot(Blobs(where)).due(NOON) == [seen("a")]


class TestDue:
    def test_it_is_sent_when_its_time_has_come_and_not_before(self, lot: ParkingLot) -> None:
        accepted = VideoAccepted(video=Video(video_id="b"))
        lot.park(parked("a", NOON + HOUR), seen("a"))
        lot.park(parked("b", NOON + HOUR / 2), accepted)
        lot.park(parked("c", None, "sign-in"), seen("c"))
        assert lot.due(NOON) == []
        assert lot.due(NOON + HOUR) == [accepted, seen("a")]  # the longest due first

    def test_it_is_sent_once_unless_it_is_parked_anew(self, lot: ParkingLot) -> None:
        lot.park(parked("a", NOON), seen("a"))
        later = NOON
        sent: list[Event] = []
        for _ in range(10):
            sent += lot.due(later)
            later += RESCAN
        assert sent == [seen("a")]
        lot.park(parked("a", later, attempt=2, at=later), seen("a"))
        assert lot.due(later + RESCAN) == [seen("a")]

    def test_what_was_lost_on_the_way_is_sent_again_in_the_end(self, lot: ParkingLot) -> None:
        lot.park(parked("a", NOON), seen("a"))
        assert lot.due(NOON) == [seen("a")]
        assert lot.due(NOON + RESEND - RESCAN) == []
        assert lot.due(NOON + RESEND) == [seen("a")]

    def test_another_process_starts_where_this_one_was_killed(self, lot: ParkingLot, blobs: Blobs) -> None:
        lot.park(parked("a", NOON), seen("a"))
        assert lot.due(NOON) == [seen("a")]
        assert ParkingLot(blobs).due(NOON) == [seen("a")]

    def test_who_leaves_is_not_sent(self, lot: ParkingLot) -> None:
        lot.park(parked("a", NOON + HOUR), seen("a"))
        assert lot.due(NOON) == []
        lot.leave("a")
        assert lot.due(NOON + 2 * HOUR) == []

    def test_asking_every_few_seconds_reads_next_to_nothing(
        self, lot: ParkingLot, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for n in range(200):
            lot.park(parked(f"v{n}", NOON + HOUR), seen(f"v{n}"))
        read: list[str] = []
        get = blobs.get
        monkeypatch.setattr(blobs, "get", lambda key: read.append(key) or get(key))
        for second in range(0, 600, 5):
            assert lot.due(NOON + timedelta(seconds=second)) == []
        assert len(read) == 200  # each once

    def test_a_person_can_ask_for_a_video_before_its_time(self, lot: ParkingLot, blobs: Blobs) -> None:
        lot.park(parked("a", None, "sign-in"), seen("a"))
        assert lot.due(NOON) == []
        assert ParkingLot(blobs).wake("a", NOON + HOUR)  # another process: a command
        assert lot.due(NOON + HOUR) == [seen("a")]
        assert not lot.wake("b", NOON)


class TestDamage:
    @pytest.mark.parametrize(
        "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"parked": {}, "again": {}, "counts": ""}', b"null"]
    )
    def test_it_is_named_and_costs_no_other_video(
        self, content: bytes, lot: ParkingLot, blobs: Blobs
    ) -> None:
        for name in ("a", "b", "c"):
            lot.park(parked(name, NOON), seen(name))
        blobs.put(lot.key("b"), content)
        with pytest.raises(
            DataError, match=rf"{lot.key('b')} .* is damaged .*delete it and hand the video in"
        ):
            lot.get("b")
        assert {event.key for event in lot.due(NOON)} == {"a", "c"}
        assert {each.parked.key for each in lot.all()} == {"a", "c"}
        lot.park(parked("b", NOON), seen("b"))  # parking the video again repairs the file
        assert lot.get("b") is not None

    def test_two_events_in_the_wrong_places_are_damage(self, lot: ParkingLot, blobs: Blobs) -> None:
        lot.park(parked("a", NOON), seen("a"))
        blobs.put(lot.key("a"), blobs.get(lot.key("a")).replace(b'"parked": {', b'"other": {', 1))
        with pytest.raises(DataError, match="KeyError: 'parked'"):
            lot.get("a")


class TestAsking:
    def test_only_its_time_or_a_person_is_a_reason_to_look(self, lot: ParkingLot) -> None:
        lot.park(parked("a", NOON + HOUR), seen("a"))
        kept = lot.get("a")
        assert kept is not None
        minute = timedelta(minutes=1)
        assert not kept.looked_at_now(seen("a"), NOON + minute)
        assert not kept.looked_at_now(seen("a", NOON + minute), NOON + minute)  # another lane saw it
        assert kept.looked_at_now(seen("a", NOON + minute, "link"), NOON + minute)
        assert not kept.looked_at_now(seen("a", NOON - minute, "link"), NOON + minute)  # it was that one
        assert kept.looked_at_now(seen("a"), NOON + HOUR)
        assert kept.looked_at_now(seen("a"), NOON + HOUR - timedelta(seconds=2))  # clocks differ

    def test_who_was_given_up_is_looked_at_when_it_is_seen_anew(self, lot: ParkingLot) -> None:
        lot.park(parked("a", None, "recheck", 7), seen("a"))
        kept = lot.get("a")
        assert kept is not None
        assert kept.given_up
        assert not kept.anew(seen("a"))
        assert kept.anew(seen("a", NOON + HOUR))
        assert lot.due(NOON + 10_000 * HOUR) == []
