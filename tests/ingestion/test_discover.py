"""Tests of discovery with the real yt-dlp and store, and a YouTube and feeds on this machine."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from discovery_harness import BEGIN, Answer, Discovery, discovery, seen

from agents.consumer.consumer import Position
from agents.discovery.discover import LASTING
from agents.discovery.resume_unfinished import LOG_KEY
from streams.errors import DataError
from streams.events import (
    DeadLettered,
    Sighting,
    SourceDue,
    Video,
    VideoAccepted,
    VideoFollowed,
    VideoRejected,
    VideoSeen,
)
from streams.kafka.codec import decode
from streams.state.outbox import Outbox
from streams.youtube.client import YouTube
from streams.youtube.errors import RefusalVerdict
from streams.youtube.request_budget import Governor
from tests.loopback_youtube import FakeVideo

AT = Position("log", "sources.due", 0, 0)
TALKS = Path(__file__).resolve().parents[2] / "agents" / "cli" / "demo" / "talks"
PLAYLIST = "PLgroundswell0001"

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def study(chdb_home: Path, tmp_path: Path) -> Iterator[Discovery]:
    with discovery(chdb_home, tmp_path / "blobs") as study:
        yield study


def talks(count: int, prefix: str = "talk", first: int = 0, **fields: object) -> list[FakeVideo]:
    """Return videos of one channel, a day apart, the oldest first."""
    return [
        FakeVideo(
            f"{prefix}{n:07}",
            f"RAG, part {n}",
            published_at=BEGIN - timedelta(days=1000 - n),
            **fields,  # type: ignore[arg-type]
        )
        for n in range(first, first + count)
    ]


def ids(videos: list[FakeVideo]) -> list[str]:
    return [video.id for video in videos]


class TestLanes:
    async def test_one_video_seen_by_four_lanes_is_one_video(self, study: Discovery) -> None:
        talk = FakeVideo("abcdefghijk", "RAG in production")
        study.loopback.add(talk)
        study.loopback.add_playlist(PLAYLIST, talk.id)
        study.feed(talk)
        for text in ("@Meetup", PLAYLIST, "RAG"):
            study.add(text)
        found = await study.look()
        assert sorted((e.sighting.kind, e.sighting.lane) for e in found if isinstance(e, VideoSeen)) == [
            ("channel", "listing"),
            ("channel", "rss"),
            ("playlist", "listing"),
            ("search", "search"),
        ]
        assert set(seen(found)) == {talk.id}
        assert [e.key for e in Outbox(study.blobs).entries()] == [talk.id]
        stored = study.warehouse.rows("SELECT video_id, published_at FROM videos FINAL")
        assert [(row["video_id"], row["published_at"]) for row in stored] == [(talk.id, talk.published_at)]
        study.clock.forward(days=2)
        assert await study.look() == []

    @pytest.mark.long
    @pytest.mark.parametrize("status", [404, 500])
    async def test_a_feed_that_fails_never_means_that_the_channel_is_gone(
        self, study: Discovery, status: int
    ) -> None:
        first, second, third = talks(3)
        study.loopback.add(first)
        study.feed(first)
        channel = study.add("@Meetup")
        assert seen(await study.look()) == [first.id] * 2
        study.web.answers.clear()
        study.web.answers["/feeds/"] = Answer(b"<html>Error</html>", status)
        study.loopback.add(second)
        assert seen(await study.next(channel)) == [second.id]
        watched = study.watched(channel)
        trouble = watched.visits.lanes["rss"].trouble
        assert watched.health == "troubled"
        assert (watched.visits.failures, watched.visits.failure) == (0, None)
        assert trouble is not None and str(status) in trouble.cause and trouble.cure
        study.web.answers.clear()
        study.loopback.add(third)
        study.feed(third, second, first)
        found = await study.next(channel)
        assert (seen(found, "listing"), seen(found, "rss")) == ([third.id], [third.id, second.id])
        assert study.watched(channel).health == "ok"

    async def test_a_web_page_for_a_feed_does_not_stop_the_listing(self, study: Discovery) -> None:
        talk = FakeVideo("abcdefghijk")
        study.loopback.add(talk)
        study.web.answers["/feeds/"] = Answer(
            b"<!DOCTYPE html><html><title>Before you continue</title></html>"
        )
        channel = study.add("@Meetup")
        assert seen(await study.look()) == [talk.id]
        trouble = study.watched(channel).visits.lanes["rss"].trouble
        assert trouble is not None and "web page" in trouble.cause

    async def test_a_feed_that_is_unchanged_is_not_sent_again(self, study: Discovery) -> None:
        talk = FakeVideo("abcdefghijk")
        study.loopback.add(talk)
        study.feed(talk)
        answer = study.web.answers[f"/feeds/{talk.channel_id}"]
        answer.headers = {"ETag": '"one"'}
        channel = study.add(talk.channel_id)
        await study.look()
        await study.next(channel)
        assert [headers.get("if-none-match") for _, headers in study.web.asked] == [None, '"one"']
        assert study.watched(channel).visits.lanes["rss"].trouble is None

    async def test_shorts_among_the_fifteen_are_told_as_what_they_are(self, study: Discovery) -> None:
        videos = talks(15)
        study.loopback.add(*videos[8:])
        study.feed(*videos, shorts=ids(videos[:8]))
        study.add(videos[0].channel_id)
        found = await study.look()
        by_feed = [e for e in found if isinstance(e, VideoSeen) and e.sighting.lane == "rss"]
        assert len(by_feed) == 15
        assert [e.key for e in by_feed if e.video.short_form] == ids(videos[:8])
        assert sorted(seen(found, "listing")) == ids(videos[8:])

    async def test_an_updated_entry_is_nothing_new(self, study: Discovery) -> None:
        talk = FakeVideo("abcdefghijk")
        study.loopback.add(talk)
        study.feed(talk)
        channel = study.add("@Meetup")
        await study.look()
        study.feed(talk, updated=BEGIN + timedelta(weeks=8))
        assert await study.next(channel) == []
        assert study.watched(channel).visits.published == (talk.published_at,)

    async def test_over_fifteen_uploads_between_visits_are_all_found(self, study: Discovery) -> None:
        old, new = talks(40), talks(45, first=40)
        study.loopback.add(*old)
        study.feed(*reversed(old))
        channel = study.add("@Meetup")
        await study.look()
        study.loopback.add(*new)
        study.feed(*reversed(new))
        found = await study.next(channel)
        assert sorted(seen(found, "listing")) == ids(new)
        assert sorted(seen(found, "rss")) == ids(new[-15:])

    async def test_a_channel_without_a_tab_is_no_failure(self, study: Discovery) -> None:
        study.loopback.add(*talks(2, streamed=True))
        channel = study.add("@Meetup")
        assert len(seen(await study.look())) == 2
        assert study.watched(channel).visits.failures == 0

    async def test_a_dateless_entry_after_a_dated_one_leaves_the_date(self, study: Discovery) -> None:
        talk = FakeVideo("abcdefghijk", "RAG in production", duration_s=1234)
        study.loopback.add(talk)
        study.feed(talk)
        study.add("@Meetup")
        await study.look()
        study.add("RAG")  # a search states no date
        (again,) = [event for event in await study.look() if isinstance(event, VideoSeen)]
        assert again.sighting.lane == "search"
        assert again.video.published_at == talk.published_at
        (stored,) = study.warehouse.rows("SELECT published_at, duration_s FROM videos FINAL")
        assert (stored["published_at"], stored["duration_s"]) == (talk.published_at, 1234)

    async def test_a_date_nobody_states_is_not_invented(self, study: Discovery) -> None:
        study.loopback.add(FakeVideo("abcdefghijk"))
        study.add("@Meetup")
        (event,) = await study.look()
        assert isinstance(event, VideoSeen) and event.video.published_at is None

    async def test_a_search_keeps_the_rank_of_its_first_round(self, study: Discovery) -> None:
        first, second = FakeVideo("first000000", "RAG one"), FakeVideo("second00000", "RAG two")
        study.loopback.add(first)
        search = study.add("RAG")
        (event,) = await study.look()
        assert isinstance(event, VideoSeen) and (event.sighting.rank, event.sighting.query) == (1, "RAG")
        study.loopback._videos = {video.id: video for video in (second, first)}
        (event,) = await study.next(search)
        assert isinstance(event, VideoSeen) and (event.key, event.sighting.rank) == (second.id, 1)


class TestFollowing:
    async def test_a_retitled_talk_is_followed_once(self, study: Discovery) -> None:
        talk = FakeVideo("abcdefghijk", "RAG")
        study.loopback.add(talk)
        channel = study.add("@Meetup")
        await study.look()
        accepted = Video(
            video_id=talk.id,
            title="RAG",
            description="How it went.",
            channel="Meetup",
            published_at=talk.published_at,
            duration_s=1200,
            language="en",
        )
        study.store([VideoAccepted(video=accepted)])
        study.loopback.add(FakeVideo(talk.id, "RAG, one year on"))
        (event,) = await study.next(channel, store=False)
        assert isinstance(event, VideoFollowed)
        assert (event.change, event.was, event.video.title) == ("retitled", "RAG", "RAG, one year on")
        assert event.video == accepted.model_copy(update={"title": "RAG, one year on"})
        assert await study.next(channel, store=False) == []  # not yet stored, and not told twice
        study.store([event])
        study.restart()
        assert await study.next(channel) == []
        study.loopback.add(talk)  # lanes that differ in language would call it back and forth
        assert await study.next(channel) == []

    async def test_what_a_person_called_a_talk_stays(self, study: Discovery) -> None:
        talk = FakeVideo("abcdefghijk", "RAG")
        study.loopback.add(talk)
        from agents.acquisition.ingest import Given, Ingest

        sent: list[VideoSeen] = []
        Ingest(study.blobs, sent.append, BEGIN, Given(title="My title")).link(talk.id, "https://youtu.be/x")
        study.store([*sent, VideoAccepted(video=sent[0].video.model_copy(update={"published_at": BEGIN}))])
        study.add("@Meetup")
        assert [type(event) for event in await study.look()] == [VideoSeen]


class TestTrouble:
    async def test_a_terminated_channel_says_so_once_and_the_others_go_on(self, study: Discovery) -> None:
        talk = FakeVideo("abcdefghijk", channel="Another")
        study.loopback.add(talk)
        study.feed(talk)
        gone, fine = study.add(PLAYLIST), study.add("@Another")
        study.loopback.fail(PLAYLIST, "gone")
        found, raised = [], []
        for event in await study.due():
            try:
                found += await study.agent.handle(event, AT)
            except DataError as error:
                raised.append(error)
        assert set(seen(found)) == {talk.id}
        assert study.watched(fine).health == "ok"
        (error,) = raised
        assert "no such channel or playlist" in error.cause and "remove the source" in error.cure
        failing = study.watched(gone)
        assert failing.health == "failing"
        assert failing.visits.failure is not None and failing.visits.failure.cause == error.cause
        waits = []
        for _ in range(6):
            before = study.clock.now
            await study.next(gone)  # it fails again, and that is no second dead letter
            waits.append(study.watched(gone).visits.next_visit - before)  # type: ignore[operator]
        assert waits[-1] > 10 * waits[0]
        study.loopback.heal(PLAYLIST)
        study.loopback.add_playlist(PLAYLIST, "abcdefghijk")
        assert seen(await study.next(gone)) == ["abcdefghijk"]
        assert study.watched(gone).health == "ok"

    async def test_a_source_that_does_not_answer_for_hours_is_told_once(self, study: Discovery) -> None:
        study.loopback.add_playlist(PLAYLIST, "abcdefghijk")
        source, told = study.add(PLAYLIST), []
        study.loopback.fail(PLAYLIST, "page 503")
        for visit in range(LASTING + 2):
            try:
                await (study.next(source) if visit else study.look())
            except DataError as error:
                told.append((visit + 1, error.cause))
        assert [visit for visit, _ in told] == [LASTING]
        assert "503" in told[0][1]
        assert study.watched(source).visits.failures == LASTING + 2

    async def test_a_channel_that_nobody_finds_fails_by_all_its_lanes(self, study: Discovery) -> None:
        channel = study.add(FakeVideo("abcdefghijk").channel_id)
        with pytest.raises(DataError, match="does not find it"):
            await study.look()
        watched = study.watched(channel)
        assert {name for name, lane in watched.visits.lanes.items() if lane.trouble} == {"rss", "listing"}
        study.loopback.add(FakeVideo("abcdefghijk"))
        assert seen(await study.next(channel)) == ["abcdefghijk"]
        assert study.watched(channel).visits.failures == 0

    async def test_a_broken_listing_is_read_again_to_where_it_was_whole(self, study: Discovery) -> None:
        old, new = talks(35), talks(65, first=35)
        study.loopback.add(*old)
        channel = study.add("@Meetup")
        await study.look()
        study.loopback.add(*new)
        study.loopback.fail("@Meetup", "next page 503")
        found = await study.next(channel)
        assert sorted(seen(found)) == ids(new[-30:])  # what came is not lost
        watched = study.watched(channel)
        assert watched.health == "failing"
        study.loopback.heal("@Meetup")
        found = await study.next(channel)
        assert sorted(seen(found)) == ids(new[:-30])  # though the 30 newest are known by now
        assert study.watched(channel).visits.failures == 0

    async def test_a_pause_is_no_failure_and_feeds_go_on(self, study: Discovery, tmp_path: Path) -> None:
        talk = FakeVideo("abcdefghijk")
        study.loopback.add(talk)
        study.feed(talk)
        governor = Governor(
            tmp_path, "guest", 1000, 3600, now=study.clock, sleep=lambda _: None, jitter=lambda: 0.0
        )
        study.youtube = YouTube(proxy=study.loopback.proxy, insecure_tls=True, governor=governor)
        study.restart()
        channel, search = study.add(talk.channel_id), study.add("RAG")
        governor.refused(RefusalVerdict("blocked", "YouTube takes this address for a bot", "session"))
        until = governor.status().open_until
        assert until is not None
        assert seen(await study.look()) == [talk.id]
        assert not study.loopback.requests
        for source_id in (channel, search):
            watched = study.watched(source_id)
            assert (watched.health, watched.visits.failures, watched.visits.paused_until) == (
                "waiting",
                0,
                until,
            )
        following = study.watched(search).visits.next_visit
        assert following is not None and until < following < until + timedelta(hours=1)
        assert study.watched(channel).visits.next_visit < following  # type: ignore[operator]
        study.clock.now = following
        assert seen(await study.look()) == [talk.id]  # found by its listing

    async def test_what_breaks_in_a_lane_does_not_end_the_agent(
        self, study: Discovery, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        talk = FakeVideo("abcdefghijk")
        study.loopback.add(talk)
        study.feed(talk)
        channel = study.add(talk.channel_id)

        def broken(*_: object) -> None:
            raise KeyError("runs")

        monkeypatch.setattr(YouTube, "listing", broken)
        assert seen(await study.look()) == [talk.id]
        failure = study.watched(channel).visits.failure
        assert failure is not None and "KeyError" in failure.cause

    async def test_a_paused_or_removed_source_is_not_looked_at(self, study: Discovery) -> None:
        study.loopback.add(FakeVideo("abcdefghijk"))
        channel = study.add("@Meetup")
        (due,) = await study.due()
        assert study.sources.pause(channel) and not study.sources.pause(channel)
        assert await study.agent.handle(due, AT) == []  # it was on its way already
        study.restart()
        assert await study.due() == []
        study.sources.resume(channel)
        assert [event.key for event in await study.due()] == [channel]
        study.sources.remove(channel)
        assert await study.agent.handle(due, AT) == []
        assert not study.loopback.requests
        assert study.sources.visits(channel).last_visit is None

    async def test_what_is_due_is_sent_once_until_it_is_back(self, study: Discovery) -> None:
        study.loopback.add(FakeVideo("abcdefghijk"))
        channel = study.add("@Meetup")
        (due,) = await study.due()
        assert await study.due() == []
        await study.agent.handle(due, AT)
        assert await study.due() == []
        at = study.watched(channel).visits.next_visit
        assert at is not None
        study.clock.now = at
        (again,) = await study.due()
        assert (again.key, again.slot) == (channel, at)
        study.restart()
        assert [event.event_id for event in await study.due()] == [again.event_id]


@pytest.mark.long
class TestBackfill:
    async def test_a_backfill_continues_after_a_kill_and_finds_all_once(self, study: Discovery) -> None:
        videos = talks(450)
        study.loopback.add(*videos)
        channel = study.add("@Meetup")
        found = seen(await study.look(store=False))
        assert len(found) == 200
        state = study.watched(channel).visits.backfill
        assert state is not None and (state.found, state.rank, state.done_at) == (200, 200, None)
        study.restart()  # killed; what was sent is not even stored yet
        again = await study.agent.start()
        assert sorted(seen(again)) == sorted(found)
        study.store(again)
        study.loopback.add(*talks(1, first=450))  # meanwhile
        second = seen(await study.next(channel))
        assert len(second) == 200 and not set(second) & set(found)
        asked = len(study.loopback.requests)
        third = seen(await study.next(channel))
        assert sorted(found + second + third) == [*ids(videos), "talk0000450"]
        assert len(study.loopback.requests) - asked <= 3  # the listing was left open where it was
        state = study.watched(channel).visits.backfill
        assert state is not None and state.done_at is not None and state.found == 451
        study.clock.forward(days=1)
        assert await study.look() == []

    async def test_it_ends_at_the_day_it_was_asked_for(self, study: Discovery) -> None:
        videos = talks(500)
        study.loopback.add(*videos)
        since = (videos[350].published_at or BEGIN).date()
        channel = study.add("@Meetup", since)
        found = seen(await study.look())
        state = study.watched(channel).visits.backfill
        assert state is not None and state.done_at is not None
        assert set(found) == set(
            ids(videos[300:])
        )  # the slice in which the day lies; screening knows the day
        assert len(study.loopback.asked("watch")) == 2
        asked = len(study.loopback.requests)
        assert await study.next(channel) == []
        assert len(study.loopback.requests) - asked == 2  # a streak of known videos ends it on the first page

    async def test_more_of_the_past_can_be_asked_for_later(self, study: Discovery) -> None:
        videos = talks(500)
        study.loopback.add(*videos)
        channel = study.add("@Meetup", (videos[400].published_at or BEGIN).date())
        await study.look()
        study.clock.forward(minutes=1)
        study.sources.want(channel, (videos[200].published_at or BEGIN).date(), study.clock.now)
        study.clock.forward(seconds=5)
        found = seen(await study.look())
        assert set(found) == set(ids(videos[100:300]))

    async def test_what_was_too_old_is_sent_when_it_is_wanted_after_all(self, study: Discovery) -> None:
        old, new = talks(2)
        study.loopback.add(old, new)
        channel = study.add("@Meetup", date(2026, 1, 1))
        await study.look()
        for talk in (old, new):
            known = Video(video_id=talk.id, title=talk.title, published_at=talk.published_at)
            study.store([VideoRejected(video=known, rule="too old", reason="it is from before 2026")])
        study.clock.forward(minutes=1)
        assert new.published_at is not None
        study.sources.want(channel, new.published_at.date(), study.clock.now)
        assert seen(await study.look(store=False)) == [new.id]

    async def test_a_channel_of_an_earlier_version_is_not_read_anew(self, study: Discovery) -> None:
        videos = talks(95)
        study.loopback.add(*videos)
        channel = study.add("@Meetup")
        found = await study.look()
        before = [
            event.model_copy(update={"sighting": event.sighting.model_copy(update={"lane": ""})})
            for event in found
            if isinstance(event, VideoSeen)
        ]
        study.warehouse.command("TRUNCATE TABLE sightings")
        study.store(before)
        study.blobs.put(f"visits/{channel}", study.clock.now.isoformat().encode())
        study.clock.forward(days=1)
        asked = len(study.loopback.requests)
        assert await study.look() == []
        assert len(study.loopback.requests) - asked == 2


class TestFeedsAndFolders:
    async def test_a_podcasts_episodes_are_found_once_with_their_audio(self, study: Discovery) -> None:
        rss = f"""<?xml version="1.0"?><rss version="2.0"><channel><title>Talk Python</title>
        <item><title>Agents</title><guid>one</guid><pubDate>Tue, 03 Feb 2026 09:00:00 GMT</pubDate>
        <enclosure url="{study.web.url}/one.mp3" type="audio/mpeg" length="3"/></item>
        <item><title>Notes without audio</title><guid>two</guid></item></channel></rss>"""
        study.web.answers["/show.xml"] = Answer(rss.encode(), headers={"ETag": '"1"'})
        feed = study.add(f"{study.web.url}/show.xml")
        (event,) = await study.look()
        assert isinstance(event, VideoSeen)
        assert (event.sighting.kind, event.sighting.lane) == ("feed", "feed")
        assert event.video.media_url == f"{study.web.url}/one.mp3"
        assert event.video.published_at is not None and event.video.published_at.day == 3
        assert study.watched(feed).visits.title == "Talk Python"
        assert await study.next(feed) == []
        del study.web.answers["/show.xml"]
        with pytest.raises(DataError, match="404"):
            await study.next(feed)
        assert study.watched(feed).health == "failing"
        assert await study.next(feed) == []

    async def test_a_folders_new_files_are_handed_in_and_growing_ones_left(
        self, study: Discovery, tmp_path: Path
    ) -> None:
        folder = tmp_path / "talks"
        folder.mkdir()
        first, second = sorted(TALKS.glob("*.json"))[:2]
        old = study.clock.now.timestamp() - 3600
        shutil.copy(first, folder / "first.json")
        os.utime(folder / "first.json", (old, old))
        shutil.copy(second, folder / "second.json")
        os.utime(folder / "second.json", (old + 3600, old + 3600))  # written a moment ago
        source = study.add(str(folder))
        (event,) = await study.look()
        assert isinstance(event, VideoSeen)
        assert (event.sighting.source_id, event.sighting.kind, event.sighting.lane) == (
            source,
            "folder",
            "folder",
        )
        assert event.captions is not None
        assert [each.key for each in Outbox(study.blobs).entries()] == [event.key]
        (later,) = await study.next(source)
        assert later.key != event.key
        assert await study.next(source) == []
        study.restart()
        assert await study.next(source) == []

    async def test_a_file_that_says_no_date_waits_for_the_one_beside_it(
        self, study: Discovery, tmp_path: Path
    ) -> None:
        folder = tmp_path / "talks"
        folder.mkdir()
        talk = folder / "talk.vtt"
        talk.write_text("WEBVTT\n\n00:00.000 --> 00:02.000\nHello there.\n")
        os.utime(talk, (1, 1))
        source = study.add(str(folder))
        (letter,) = await study.look()
        assert isinstance(letter, DeadLettered)
        assert "publication date of talk is unknown" in letter.cause and "--published-at" in letter.cause
        assert study.watched(source).health == "troubled"
        assert await study.next(source) == []
        (folder / "talk.json").write_text('{"published_at": "2026-02-03"}')
        (event,) = await study.next(source)
        assert isinstance(event, VideoSeen) and event.video.published_at is not None

    async def test_bad_files_keep_out_no_other_and_are_told_of_once(
        self, study: Discovery, tmp_path: Path
    ) -> None:
        folder = tmp_path / "talks"
        folder.mkdir()
        good, other = sorted(TALKS.glob("*.json"))[:2]
        shutil.copy(good, folder / "good.json")
        (folder / "deep.json").write_text("[" * 100_000)
        (folder / "a.vtt").write_bytes(b"\xff\x00")
        (folder / "a.json").mkdir()  # where its description would be
        (folder / "lines.jsonl").write_bytes(b"{}\n" + other.read_bytes().replace(b"\n", b" ") + b"\n")
        os.mkfifo(folder / "pipe.mp3")
        for file in folder.iterdir():
            os.utime(file, (1, 1))
        source = study.add(str(folder))
        *found, letter = await study.look()
        assert sorted(seen(found)) == sorted(json.loads(each.read_bytes())["id"] for each in (good, other))
        assert isinstance(letter, DeadLettered)
        assert (letter.agent, letter.topic, letter.message_key) == ("discover", "sources.due", source)
        assert letter.payload is not None
        assert isinstance(decode(base64.b64decode(letter.payload)), SourceDue)
        assert letter.cause.startswith("4 files of the folder cannot be handed in: ") and letter.cure
        watched = study.watched(source)
        assert (watched.health, watched.visits.failures) == ("troubled", 0)
        refused = {each.name: (each.cause, each.cure) for each in watched.visits.refused}
        assert sorted(refused) == ["a.vtt", "deep.json", "lines.jsonl:1", "pipe.mp3"]
        assert all(name in letter.cause and cause and cure for name, (cause, cure) in refused.items())
        trouble = watched.visits.lanes["folder"].trouble
        assert trouble is not None and "deep.json" in trouble.cause

        study.restart()
        assert await study.next(source) == []
        assert {each.name for each in study.watched(source).visits.refused} == set(refused)
        shutil.copy(sorted(TALKS.glob("*.json"))[2], folder / "deep.json")
        os.utime(folder / "deep.json", (2, 2))
        for name in ("a.vtt", "lines.jsonl", "pipe.mp3"):
            (folder / name).unlink()
        (event,) = await study.next(source)
        assert isinstance(event, VideoSeen)
        assert (study.watched(source).health, study.watched(source).visits.refused) == ("ok", ())

    async def test_what_is_remembered_of_a_folder_may_be_damaged(
        self, study: Discovery, tmp_path: Path
    ) -> None:
        folder = tmp_path / "talks"
        folder.mkdir()
        shutil.copy(sorted(TALKS.glob("*.json"))[0], folder / "talk.json")
        os.utime(folder / "talk.json", (1, 1))
        source = study.add(str(folder))
        for damaged in (b"{", b"[]", b"\xff"):
            study.blobs.put(f"folders/{source}.json", damaged)
            study.clock.forward(days=1)
            assert len(seen(await study.look())) == 1

    async def test_a_folder_that_is_gone_says_what_to_do(self, study: Discovery, tmp_path: Path) -> None:
        folder = tmp_path / "talks"
        folder.mkdir()
        source = study.add(str(folder))
        await study.look()
        folder.rmdir()
        with pytest.raises(DataError, match=r"cannot be read.*mount it"):
            await study.next(source)


class TestPush:
    async def test_the_hub_is_asked_about_the_channels_that_are_watched(self, study: Discovery) -> None:
        asked: list[dict[str, str]] = []

        async def subscribe(channels: Mapping[str, str]) -> None:
            asked.append(dict(channels))

        talk = FakeVideo("abcdefghijk")
        study.loopback.add(talk)
        study.push(subscribe, lambda channel_id: channel_id == talk.channel_id)
        channel, paused = study.add("@Meetup"), study.add("UC" + "x" * 22)
        study.add("RAG")
        study.sources.pause(paused)
        await study.look()
        study.clock.forward(seconds=30)
        await study.look()
        study.clock.forward(seconds=31)
        await study.look()
        await asyncio.sleep(0)
        assert asked == [{}, {talk.channel_id: channel}]
        following = study.watched(channel).visits.next_visit
        assert following is not None and following - study.clock.now > timedelta(hours=20)


class TestParking:
    async def test_a_parked_video_is_sent_when_due_and_not_at_a_start(self, study: Discovery) -> None:
        from streams.events import VideoParked
        from streams.state.parked_videos import ParkingLot

        study.loopback.add(FakeVideo("abcdefghijk"))
        study.add("@Meetup")
        (event,) = await study.look(store=False)
        assert isinstance(event, VideoSeen)
        until = study.clock.now + timedelta(hours=2)
        parked = VideoParked(
            video=event.video, state="upcoming", reason="it premieres", until=until, parked_at=study.clock.now
        )
        ParkingLot(study.blobs).park(parked, event)
        study.restart()
        assert await study.agent.start() == [parked], "in a log that is new, it is only said to wait"
        study.restart()
        assert await study.agent.start() == [parked], "killed before it was sent"
        await study.agent.tick()
        study.restart()
        assert await study.agent.start() == []
        assert [e for e in await study.agent.tick() if not isinstance(e, SourceDue)] == []
        study.clock.now = until
        assert [e for e in await study.agent.tick() if not isinstance(e, SourceDue)] == [event]

    async def test_a_new_log_hears_of_parked_videos_unless_it_is_stored(self, study: Discovery) -> None:
        from streams.events import VideoParked
        from streams.state.parked_videos import ParkingLot

        study.loopback.add(FakeVideo("abcdefghijk"))
        study.add("@Meetup")
        (event,) = await study.look()
        assert isinstance(event, VideoSeen)
        parked_at = study.clock.now
        for attempt in (1, 2):
            parked = VideoParked(
                video=event.video,
                state="recheck",
                reason="404",
                until=None,
                attempt=attempt,
                parked_at=parked_at,
            )
            ParkingLot(study.blobs).park(parked, event)
            for stored in (False, True):
                study.blobs.put(LOG_KEY, b"another log")
                study.restart()
                assert await study.agent.start() == ([] if stored else [parked])
                study.store([parked])
            parked_at += timedelta(hours=1)


async def test_what_is_handed_in_while_it_starts_is_sent_once_it_runs(study: Discovery) -> None:
    def handed_in(video_id: str, seen_at: datetime) -> VideoSeen:
        seen = VideoSeen(
            video=Video(video_id=video_id),
            sighting=Sighting(source_id="ingest", kind="file", seen_at=seen_at),
        )
        Outbox(study.blobs).keep(seen)
        return seen

    handed_in("before", NOON)
    assert [event.key for event in await study.agent.start()] == ["before"]
    meanwhile = handed_in("meanwhile", NOON)
    assert await study.agent.tick() == [], "it is not announced yet"
    running = study.settings.running_file
    running.parent.mkdir(parents=True, exist_ok=True)
    running.write_text("{}")
    os.utime(running, (NOON.timestamp() + 1, NOON.timestamp() + 1))
    handed_in("after", NOON + timedelta(seconds=2))  # its command sends it to the running process
    assert await study.agent.tick() == [meanwhile]
    assert await study.agent.tick() == []


def test_since_is_a_day(study: Discovery) -> None:
    assert study.watched(study.add("@Meetup", date(2026, 1, 1))).source.since == date(2026, 1, 1)
