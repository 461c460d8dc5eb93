"""Tests of following known talks: deleted, private, public again, or with a new title."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from discovery_harness import Discovery, discovery

from agents.discovery.video_refresh import EVERY, MOST, VideoRefresh
from streams.errors import Unavailable
from streams.events import Sighting, Video, VideoAccepted, VideoFollowed, VideoSeen
from streams.youtube.client import YouTube
from tests.loopback_youtube import FakeVideo

pytestmark = pytest.mark.long

CYCLE = timedelta(days=30)


@pytest.fixture
def study(chdb_home: Path, tmp_path: Path) -> Iterator[Discovery]:
    with discovery(chdb_home, tmp_path / "blobs") as study:
        yield study


def learned(study: Discovery, *talks: FakeVideo) -> None:
    """Publish talks, and store them as learned by the study."""
    study.loopback.add(*talks)
    for talk in talks:
        video = Video(video_id=talk.id, title=talk.title, published_at=study.clock.now)
        sighting = Sighting(source_id="s", kind="channel", lane="listing", seen_at=study.clock.now)
        study.store([VideoSeen(video=video, sighting=sighting), VideoAccepted(video=video)])
    rows = [{"video_id": talk.id, "state": "assigned", "rank": 7} for talk in talks]
    study.warehouse.insert("progress", rows)


def following(study: Discovery, proxy: str = "") -> VideoRefresh:
    youtube = YouTube(proxy=proxy or study.loopback.proxy, insecure_tls=True)
    return VideoRefresh(study.blobs, study.warehouse, youtube, CYCLE, study.clock)


def month(study: Discovery, follower: VideoRefresh) -> list[VideoFollowed]:
    """Let a cycle pass day by day; store and return the noticed changes."""
    end, noticed = study.clock.now + CYCLE, []
    while study.clock.now < end:
        study.clock.forward(days=1)
        found = follower.due()
        study.store(found)
        noticed += found
    return noticed


def said(noticed: list[VideoFollowed]) -> list[tuple[str, str]]:
    return sorted((each.key, each.change) for each in noticed)


def test_deleted_private_and_back_again_are_each_told_once(study: Discovery) -> None:
    learned(study, *(FakeVideo(f"talk{n:07}", f"RAG, part {n}") for n in range(3)))
    follower = following(study)
    assert follower.due() == []
    assert month(study, follower) == []
    study.loopback.fail("talk0000000", "removed")
    study.loopback.fail("talk0000001", "private")
    assert said(month(study, follower)) == [("talk0000000", "deleted"), ("talk0000001", "private")]
    assert month(study, follower) == []
    study.loopback.heal("talk0000001")
    assert said(month(study, follower)) == [("talk0000001", "returned")]
    assert month(study, follower) == []


def test_a_new_title_is_told_once(study: Discovery) -> None:
    learned(study, FakeVideo("talk0000000", "RAG"))
    follower = following(study)
    follower.due()
    study.loopback.add(FakeVideo("talk0000000", "RAG, two years on"))
    (noticed,) = month(study, follower)
    assert (noticed.change, noticed.was, noticed.video.title) == ("retitled", "RAG", "RAG, two years on")
    assert month(study, follower) == []


def test_each_is_looked_at_once_in_a_cycle_also_over_a_restart(study: Discovery) -> None:
    learned(study, *(FakeVideo(f"talk{n:07}", f"RAG, part {n}") for n in range(12)))
    following(study).due()
    for _ in range(CYCLE.days):
        study.clock.forward(days=1)
        following(study).due()
    asked = [request.path for request in study.loopback.asked(r"/watch\?v=")]
    assert len(asked) == len(set(asked)) == 12


def test_who_was_away_for_long_catches_up_a_few_at_a_time(study: Discovery) -> None:
    learned(study, *(FakeVideo(f"talk{n:07}", f"RAG, part {n}") for n in range(12)))
    follower = following(study)
    follower.due()
    study.clock.forward(days=300)
    rounds = []
    for _ in range(4):
        before = len(study.loopback.asked(r"/watch\?v="))
        follower.due()
        rounds.append(len(study.loopback.asked(r"/watch\?v=")) - before)
        study.clock.now += EVERY
    assert rounds[:3] == [MOST, MOST, 2]


def test_what_youtube_does_not_answer_is_looked_at_later(study: Discovery) -> None:
    learned(study, FakeVideo("talk0000000", "RAG"))
    following(study).due()
    study.loopback.fail("talk0000000", "removed")
    study.clock.forward(days=31)
    assert following(study, proxy="http://127.0.0.1:1").due() == []
    assert said(following(study).due()) == [("talk0000000", "deleted")]


def test_what_is_merely_unavailable_is_not_taken_for_gone(study: Discovery) -> None:
    learned(study, FakeVideo("talk0000000", "RAG"))
    follower = following(study)
    follower.due()
    study.loopback.fail("talk0000000", "unavailable")
    assert month(study, follower) == []


def test_nothing_is_looked_at_where_that_is_not_wanted(study: Discovery) -> None:
    learned(study, FakeVideo("talk0000000", "RAG"))
    youtube = YouTube(proxy="http://127.0.0.1:1")
    follower = VideoRefresh(study.blobs, study.warehouse, youtube, timedelta(0), study.clock)
    study.clock.forward(days=31)
    assert follower.due() == []
    with pytest.raises(Unavailable):
        youtube.metadata("talk0000000")
