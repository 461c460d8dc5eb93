"""Talks from YouTube through the whole path: one running study, and a YouTube on this machine."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
import pytest

from streams.settings import Settings
from streams.store.warehouse import Warehouse
from tests.loopback_youtube import FakeVideo, LoopbackYouTube
from tests.processes import AUDIO, Study, until

pytestmark = [pytest.mark.speech, pytest.mark.long]

PLAYLIST = "PLgroundswell0001"
TALK, SHORT, FRENCH = "threegrader", "tooshort001", "enfrancais1"
REMOVED, UNKNOWN, DROPPED = "removed0001", "unknown0001", "dropped0001"


def spoken(name: str, seconds: float) -> bytes:
    """The beginning of a demo recording as YouTube serves it: AAC in MP4."""
    file = io.BytesIO()
    (source,) = AUDIO.glob(f"*-{name}.ogg")
    with av.open(str(source)) as recording, av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44_100, layout="mono")
        resampler = av.AudioResampler("fltp", "mono", 44_100, frame_size=1024)
        for frame in recording.decode(audio=0):
            if frame.time is None or frame.time > seconds:
                break
            for resampled in resampler.resample(frame):
                container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return file.getvalue()


@pytest.fixture(scope="module")
def youtube() -> Iterator[LoopbackYouTube]:
    with LoopbackYouTube() as youtube:
        youtube.add(
            FakeVideo(SHORT, "A short hello", duration_s=9),
            FakeVideo(
                FRENCH,
                "Comment nous évaluons les réponses de notre modèle de langage en production",
                description="Une conférence sur les juges, les annotateurs et ce qui les sépare.",
                duration_s=60,
            ),
            FakeVideo(
                TALK,
                "Three graders and one judge",
                description="A water company tests its answers to letters with people and a judge model.",
                published_at=datetime(2025, 3, 13, 16, tzinfo=UTC),
                duration_s=42,
                audio=spoken("three-graders", 41.8),
            ),
            FakeVideo(
                REMOVED,
                "Potatoes and tomatoes: what a retriever gets wrong",
                channel="Elsewhere",
                duration_s=21,
                audio=spoken("potatoes-and-tomatoes", 21),
            ),
            FakeVideo(
                DROPPED,
                "A note in a book review, or how a server was told what to do",
                channel="Elsewhere",
                duration_s=21,
                audio=spoken("a-note-in-a-review", 21),
            ),
        )
        youtube.add_playlist(PLAYLIST, TALK)
        youtube.fail(REMOVED, "removed")
        yield youtube


@pytest.fixture(scope="module")
def study(youtube: LoopbackYouTube, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    study = Study(
        tmp_path_factory.mktemp("youtube"),
        environment={
            "GROUNDSWELL_PROXY": youtube.proxy,
            "GROUNDSWELL_INSECURE_TLS": "true",
            "GROUNDSWELL_POLL_INTERVAL_S": "3",
            "GROUNDSWELL_REQUESTS_PER_HOUR": "100000",
            "GROUNDSWELL_MIN_DURATION_S": "20",
        },
    )
    study.run()
    yield study
    study.end()


def states(study: Study) -> dict[str, int]:
    found: dict[str, int] = study.api("status")["states"]
    return found


def transfers(youtube: LoopbackYouTube, video_id: str) -> list[str | None]:
    """Return the ranges of a video's audio that were requested."""
    return [request.range for request in youtube.asked(rf"videoplayback\?id={video_id}\b")]


def until_assigned(study: Study, count: int) -> None:
    try:
        until(lambda: states(study).get("assigned", 0) == count)
    except AssertionError:
        raise AssertionError(f"{states(study)}\n{study.processes[0].said()[-4000:]}") from None


def test_sources_bring_talks_and_one_shown_by_three_runs_once(study: Study, youtube: LoopbackYouTube) -> None:
    added = study.cli("sources", "add", "@Meetup", "graders", PLAYLIST)
    assert added.returncode == 0, added.stderr
    until_assigned(study, 1)
    assert states(study) == {"assigned": 1, "rejected": 2}
    assert study.api("status")["rejections"] == {"language": 1, "too short": 1}
    assert study.api("status")["dead_letters"] == 0
    assert len(transfers(youtube, TALK)) == 1
    assert transfers(youtube, SHORT) == transfers(youtube, FRENCH) == []
    (march,) = {row["month"] for row in study.ask("prevalence")}
    assert march == "2025-03"
    sources = study.ask("sources", "list")
    assert all(source["visited_at"] for source in sources)
    # They are looked at again and again, and nothing new comes of it.
    visits = [source["visited_at"] for source in sources]
    until(lambda: all(s["visited_at"] > was for s, was in zip(_listed(study), visits, strict=True)))
    assert states(study) == {"assigned": 1, "rejected": 2}


def _listed(study: Study) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = study.ask("sources", "list")
    return listed


def test_a_removed_video_is_gone_and_done_once_when_it_returns(
    study: Study, youtube: LoopbackYouTube
) -> None:
    for video_id in (REMOVED, UNKNOWN):
        handed = study.cli("ingest", f"https://www.youtube.com/watch?v={video_id}")
        assert handed.returncode == 0, handed.stderr
    until(lambda: study.api("status")["rejections"].get("gone") == 1)
    until(lambda: [row["video_id"] for row in study.ask("videos", "waiting")] == [UNKNOWN])
    (unknown,) = study.ask("videos", "waiting")
    assert unknown["state"] == "recheck"
    assert unknown["attempt"] == 1
    assert study.ask("dead-letters", "list") == []

    before = states(study).get("assigned", 0)
    youtube.heal(REMOVED)
    handed = study.cli("ingest", f"https://www.youtube.com/watch?v={REMOVED}")
    assert handed.returncode == 0, handed.stderr
    until_assigned(study, before + 1)
    assert study.ask("dead-letters", "list") == []
    assert len(transfers(youtube, REMOVED)) == 1
    assert "gone" not in study.api("status")["rejections"]

    woken = study.cli("videos", "recheck", UNKNOWN)
    assert woken.returncode == 0, woken.stderr
    until(lambda: [row["attempt"] for row in study.ask("videos", "waiting")] == [2])


def test_a_transfer_that_breaks_off_goes_on_where_it_was(study: Study, youtube: LoopbackYouTube) -> None:
    before = states(study).get("assigned", 0)
    youtube.drop_transfers(DROPPED, times=4)  # more than yt-dlp tries by itself
    handed = study.cli("ingest", f"https://youtu.be/{DROPPED}")
    assert handed.returncode == 0, handed.stderr
    until_assigned(study, before + 1)
    assert study.ask("dead-letters", "list") == []
    begins = [
        int((asked or "bytes=0-").removeprefix("bytes=").split("-")[0])
        for asked in transfers(youtube, DROPPED)
    ]
    assert len(begins) == 5
    assert begins == sorted(set(begins)), "never from the beginning again"
    assert "trying again later" in study.processes[0].said()


def test_the_tables_hold_every_talk_once_with_its_words(study: Study, youtube: LoopbackYouTube) -> None:
    """The tables hold the results of the tests before, read when no process has the database open."""
    assert study.processes[0].stop() == 0
    with Warehouse(Settings(home=study.home, study=study.name)) as warehouse:
        sightings = warehouse.rows("SELECT video_id, kind, rank FROM sightings FINAL ORDER BY ALL")
        assert [tuple(row.values()) for row in sightings if row["video_id"] == TALK] == [
            (TALK, "channel", 1),
            (TALK, "playlist", 1),
            (TALK, "search", 1),
        ]
        assert {row["video_id"] for row in sightings} == {TALK, SHORT, FRENCH, REMOVED, UNKNOWN, DROPPED}
        reasons = warehouse.rows(
            """
            SELECT video_id, rule, reason FROM screenings FINAL
            WHERE video_id IN (SELECT video_id FROM progress FINAL WHERE state = 'rejected')
            """
        )
        assert {row["video_id"]: (row["rule"], row["reason"]) for row in reasons} == {
            SHORT: ("too short", "it lasts 9 s, less than 20 s"),
            FRENCH: ("language", "title and description are in 'fr', not in en"),
        }
        talks = warehouse.rows(
            "SELECT video_id, language, words, speakers FROM transcripts FINAL ORDER BY video_id"
        )
        assert [row["video_id"] for row in talks] == sorted([TALK, REMOVED, DROPPED])
        assert all(row["language"] == "en" and row["words"] > 20 for row in talks)
        assert {row["video_id"]: row["speakers"] for row in talks}[TALK] == 2
        text = " ".join(
            row["text"]
            for row in warehouse.rows(
                "SELECT text FROM paragraphs FINAL WHERE video_id = {id:String} ORDER BY position", id=TALK
            )
        )
        assert "judge" in text.lower()
        counts = "SELECT count() AS n, uniqExact(video_id) AS videos FROM {table} FINAL"
        paragraphs, assignments = (
            warehouse.rows(counts.format(table=table))[0] for table in ("paragraphs", "assignments")
        )
        assert paragraphs == assignments
        assert paragraphs["videos"] == 3
        learned = warehouse.rows("SELECT video_index, sequence FROM assignments ORDER BY sequence")
        assert {tuple(row.values()) for row in learned} == {(0, 1), (1, 2), (2, 3)}, "learned once each"
    kept = Path(study.home / "studies" / study.name)
    assert not list((kept / "downloads").rglob("*.*")), "nothing half-done is left behind"
