"""Queries about waiting videos, sources' yield and screening, on the real engine and on a server."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from event_factories import (
    BLOB,
    MODEL,
    NOON,
    assigned,
    dead_letter,
    path_of,
    seen,
    settled,
    topic,
    video,
    write,
)

from agents.consumer.consumer import Position
from agents.instance.gpu import ASKED, gpus
from agents.storage.store import Store
from agents.topics.track import Track
from models.bundled_models import prepare
from models.codebook.codebook import load
from models.embedding.embedder import Embedder
from models.topics import TopicSettings
from streams import events as e
from streams.errors import DataError
from streams.state.blobs import Blobs
from streams.store import video_progress
from streams.store.operations import screening, throughput
from streams.store.queries.corpus import corpus
from streams.store.warehouse import Warehouse
from streams.telemetry import CHECKPOINT, NEWEST

HOSTILE = "<script>alert('1')</script> \\ \u202eכיצד 🚀"
LATER = NOON + timedelta(days=1, hours=2)


def sighted(of: e.Video, source_id: str, at: datetime, **about: Any) -> e.VideoSeen:
    return e.VideoSeen(video=of, sighting=e.Sighting(source_id=source_id, kind="search", seen_at=at, **about))


def rejected(video_id: str, rule: str, reason: str) -> list[e.Event]:
    return [seen(video(video_id)), e.VideoRejected(video=video(video_id), rule=rule, reason=reason)]


def source_failed(offset: int, source_id: str, minutes: int, cause: str = "HTTP 404") -> e.DeadLettered:
    return e.DeadLettered(
        agent="discover",
        cause=cause,
        cure="remove it, or correct its address",
        log_id="log-1",
        topic="sources.due",
        partition=0,
        offset=offset,
        message_key=source_id,
        payload="e30=",
        failed_at=NOON + timedelta(minutes=minutes),
    )


DROPPED = source_failed(20, "channel-2", 1)
DEAD = dead_letter(0, "e")
REPLAYED = dead_letter(1, "f")
STORY: list[e.Event] = [
    topic(1, "Architecture"),
    e.EpochBegun(model_version=MODEL, sequence=0, epoch=0, embedding_model="m", codebook="c"),
    *path_of(0, video("a", channel=HOSTILE), 1),
    sighted(video("a"), "search-1", LATER, query="LLMOps", rank=4),
    *path_of(1, video("b", datetime(2025, 4, 1, tzinfo=UTC)), 1, None),
    e.VideoCorrected(video_id="b", what="withdrawn", reason="a repeat", author="ann", corrected_at=NOON),
    *rejected("c", "too short", "it lasts 40 s"),
    *rejected("d", "too short", "it lasts 9 s"),
    *rejected("d2", "language", "it is in 'fr'"),
    seen(video("e")),
    e.VideoAccepted(video=video("e")),
    DEAD,
    seen(video("f")),
    e.VideoAccepted(video=video("f")),
    REPLAYED,
    settled(REPLAYED, "replayed"),
    *path_of(2, video("g"))[:-2],
    sighted(video("h", show=HOSTILE), "search-1", LATER, query="LLM in production", rank=1),
    source_failed(10, "channel-1", 5, "HTTP 403"),
    source_failed(11, "channel-1", 9, "HTTP 404"),
    source_failed(12, "channel-3", 7),
    DROPPED,
    settled(DROPPED, "dropped"),
]


def test_stages_say_where_videos_wait_and_which_are_stuck(either: Warehouse) -> None:
    assert [row["videos"] for row in throughput.stages(either)] == [0] * 7
    write(either, STORY)
    write(either, STORY[::-1])  # whatever comes twice, or in another order, changes nothing
    rows = throughput.stages(either)
    assert [row["state"] for row in rows] == list(video_progress.STATES)
    found = {row["state"]: (row["waits_for"], row["videos"], row["dead"]) for row in rows}
    assert found == {
        "seen": ("screen", 1, 0),
        "accepted": ("fetch", 2, 1),
        "fetched": ("transcribe", 0, 0),
        "transcribed": ("split", 1, 0),
        "split": ("track", 0, 0),
        "rejected": (None, 3, 0),
        "assigned": (None, 2, 0),
    }
    spans = {row["state"]: (row["oldest_seen_at"], row["newest_seen_at"]) for row in rows}
    assert spans["seen"] == (LATER, LATER)
    assert spans["assigned"] == (NOON, NOON)  # of `a` the first sighting counts
    assert spans["fetched"] == (None, None)


def test_throughput_counts_a_video_once_on_its_first_day(either: Warehouse) -> None:
    assert throughput.throughput(either) == []
    write(either, STORY)
    assert throughput.throughput(either) == [
        {
            "seen_at": datetime(2025, 3, 5, tzinfo=UTC),
            "seen": 1,
            "kept": 0,
            "rejected": 0,
            "withdrawn": 0,
            "waiting": 1,
            "dead": 0,
        },
        {
            "seen_at": datetime(2025, 3, 4, tzinfo=UTC),
            "seen": 8,
            "kept": 1,
            "rejected": 3,
            "withdrawn": 1,
            "waiting": 2,
            "dead": 1,
        },
    ]
    (hour,) = throughput.throughput(either, by="hour", limit=1)
    assert (hour["seen_at"], hour["seen"]) == (datetime(2025, 3, 5, 14, tzinfo=UTC), 1)


def test_freshness_says_the_newest_of_everything_or_nothing(either: Warehouse) -> None:
    nothing = dict.fromkeys(("seen_at", "published_at", "failed_at", "raised_at", "decided_at", "learned"))
    assert throughput.freshness(either) == nothing
    write(either, STORY)
    found = throughput.freshness(either)
    assert found["seen_at"] == LATER
    assert found["published_at"] == datetime(2025, 4, 1, tzinfo=UTC)
    assert found["failed_at"] == NOON + timedelta(minutes=9)
    assert found["learned"] == {"video_id": "b", "title": "Talk b", "published_on": date(2025, 4, 1)}
    assert (found["raised_at"], found["decided_at"]) == (None, None)
    write(either, [assigned(0, video("a"), 1, sequence=9)])
    assert throughput.freshness(either)["learned"]["video_id"] == "a"


def test_a_source_has_its_yield_and_says_why_it_fails(either: Warehouse) -> None:
    assert throughput.sources(either) == throughput.failing_sources(either) == []
    write(either, STORY)
    rows = {row["source_id"]: row for row in throughput.sources(either)}
    assert list(rows) == ["channel-1", "search-1", "channel-3"]
    channel = rows["channel-1"]
    assert (channel["found"], channel["alone"]) == (8, 7)
    counts = {fate: channel[fate] for fate in throughput.FATE_NAMES}
    assert counts == {"kept": 1, "rejected": 3, "withdrawn": 1, "waiting": 2, "dead": 1}
    assert channel["share"] == pytest.approx(1 / 4)
    assert channel["rejections"] == {"too short": 2, "language": 1}
    assert (channel["failures"], channel["cause"]) == (2, "HTTP 404")
    assert channel["failed_at"] == NOON + timedelta(minutes=9)
    search = rows["search-1"]
    assert (search["found"], search["alone"], search["kept"], search["share"]) == (2, 1, 1, 1.0)
    assert (search["query"], search["last_seen_at"], search["failures"]) == ("LLMOps", LATER, 0)
    never = rows["channel-3"]
    assert (never["found"], never["share"], never["first_seen_at"]) == (0, None, None)
    assert [row["source_id"] for row in throughput.failing_sources(either)] == ["channel-1", "channel-3"]


def test_what_became_of_videos_is_what_the_corpus_says(either: Warehouse) -> None:
    write(either, STORY)
    total = dict.fromkeys(throughput.FATE_NAMES, 0)
    for row in throughput.throughput(either):
        total = {fate: total[fate] + row[fate] for fate in total}
    said = corpus(either)
    assert (total["kept"], total["withdrawn"]) == (said["kept"], said["withdrawn"])
    assert total["waiting"] + total["dead"] == said["waiting"]
    assert total["rejected"] == sum(said["rejections"].values())


def test_the_queue_is_filtered_paged_and_counted(either: Warehouse) -> None:
    assert screening.queue(either) == {"videos": 0, "rows": []}
    write(either, STORY)
    everything = screening.queue(either)
    assert everything["videos"] == 9
    assert [row["video_id"] for row in everything["rows"]] == ["h", *"abc", "d", "d2", *"efg"]
    pages = [screening.queue(either, limit=4, offset=offset) for offset in (0, 4, 8, 12)]
    assert [row for page in pages for row in page["rows"]] == everything["rows"]
    assert {page["videos"] for page in pages} == {9}

    def ids(**asked: Any) -> list[str]:
        found = screening.queue(either, **asked)
        assert found["videos"] == len(found["rows"])
        return [row["video_id"] for row in found["rows"]]

    assert ids(verdict="waiting") == ["h"]
    assert ids(verdict="rejected") == ["c", "d", "d2"]
    assert ids(verdict="rejected", rule="too short") == ["c", "d"]
    assert ids(rule="no such rule") == []
    assert ids(search="TALK D") == ["d", "d2"]
    assert ids(search=HOSTILE) == ["h", "a"]
    assert ids(search="%") == []


def test_a_row_of_the_queue_says_everything_about_the_verdict(either: Warehouse) -> None:
    write(either, STORY)
    rows = {row["video_id"]: row for row in screening.queue(either)["rows"]}
    assert rows["c"] == {
        "video_id": "c",
        "title": "Talk c",
        "channel": "",
        "show": "",
        "url": "",
        "language": None,
        "duration_s": None,
        "published_at": NOON,
        "state": "rejected",
        "verdict": "rejected",
        "rule": "too short",
        "reason": "it lasts 40 s",
        "withdrawn": False,
        "seen_at": NOON,
        "sightings": [
            {"source_id": "channel-1", "kind": "channel", "query": "", "rank": 1, "first_seen_at": NOON}
        ],
    }
    assert [sighting["source_id"] for sighting in rows["a"]["sightings"]] == ["channel-1", "search-1"]
    assert rows["a"]["channel"] == HOSTILE
    assert rows["b"]["withdrawn"] is True
    assert (rows["h"]["verdict"], rows["h"]["rule"], rows["h"]["reason"]) == ("waiting", "", "")


def test_a_verdict_that_does_not_exist_has_a_cure(either: Warehouse) -> None:
    with pytest.raises(DataError, match="not a verdict") as raised:
        screening.queue(either, verdict="acceptd")
    assert "accepted, rejected, waiting" in raised.value.cure


def test_a_video_rejected_after_being_heard_leaves_the_queue(either: Warehouse) -> None:
    spoken = video("a", language="fr")
    write(
        either,
        [
            seen(spoken),
            e.VideoAccepted(video=spoken),
            e.AudioStored(video=spoken, audio=BLOB),
            e.VideoRejected(video=spoken, rule="language", reason="it is spoken in 'fr'"),
        ],
    )
    (row,) = screening.queue(either)["rows"]
    assert (row["verdict"], row["rule"], row["state"]) == ("rejected", "language", "rejected")


def test_the_summary_says_why_videos_were_kept_out(either: Warehouse) -> None:
    assert screening.summary(either)["rules"] == []
    write(either, STORY)
    found = screening.summary(either)
    assert (found["found"], found["kept"], found["withdrawn"]) == (9, 1, 1)
    assert (found["waiting"], found["unscreened"], found["rejected"]) == (4, 1, 3)
    assert found["rules"] == [
        {"rule": "too short", "videos": 2, "share": pytest.approx(2 / 3), "reason": "it lasts 40 s"},
        {"rule": "language", "videos": 1, "share": pytest.approx(1 / 3), "reason": "it is in 'fr'"},
    ]
    assert (found["hours"], found["mean_minutes"]) == (pytest.approx(61.5 / 3600), pytest.approx(61.5 / 60))
    assert "rejections" not in found


def value(metric: Any, *labels: str) -> float:
    (family,) = metric.collect()
    found: float = next(sample.value for sample in family.samples if tuple(sample.labels.values()) == labels)
    return found


async def test_metrics_of_freshness_do_not_age_with_repetitions(study: Warehouse, tmp_path: Path) -> None:
    store = Store(study, Blobs(str(tmp_path / "blobs")))
    at = Position("log-1", "videos.seen", 0, 0)

    async def take(*events: e.Event) -> tuple[float, float]:
        for event in events:
            await store.handle(event, at)
        await store.commit()
        return value(NEWEST, "seen"), value(NEWEST, "published")

    NEWEST.clear()
    await store.start()
    assert next(iter(NEWEST.collect())).samples == []  # nothing is known, so nothing is old
    late = video("b", LATER)
    newest = (LATER.timestamp(), NOON.timestamp())
    assert await take(sighted(late, "s", LATER), e.VideoAccepted(video=video("a"))) == newest
    assert await take(sighted(video("c"), "s", NOON)) == newest
    assert await take(e.VideoRejected(video=late, rule="too short", reason="40 s")) == newest
    assert await take(e.VideoAccepted(video=late)) == (LATER.timestamp(), LATER.timestamp())
    NEWEST.clear()
    await Store(study, Blobs(str(tmp_path / "blobs"))).start()  # started again, it knows from the database
    assert value(NEWEST, "seen") == LATER.timestamp()


async def test_a_checkpoint_of_the_topic_model_says_when_it_was_made(tmp_path: Path) -> None:
    home = platformdirs.user_cache_path("groundswell") / "models"
    embedder, blobs = (
        Embedder(prepare(home).embedding, "cpu", 1, max_tokens=300),
        Blobs(str(tmp_path / "blobs")),
    )
    track = Track(blobs, load("blank"), embedder, TopicSettings())
    await track.start()
    CHECKPOINT.set(0)
    await track.commit()
    assert value(CHECKPOINT) == 0  # nothing was learned, nothing was written
    track.on_dead_letter(Position("log-1", "paragraphs.embedded", 0, 0))
    before = datetime.now(UTC).timestamp()
    await track.commit()
    assert before <= value(CHECKPOINT) <= datetime.now(UTC).timestamp()


def said_by_the_driver(lines: str, code: int = 0) -> list[str]:
    """Return a command that prints these lines, as nvidia-smi does."""
    return [sys.executable, "-c", f"import sys; print({lines!r}); sys.exit({code})"]


def test_gpus_are_read_from_what_the_driver_says() -> None:
    assert len(ASKED) == 6
    found = gpus(
        said_by_the_driver("0, NVIDIA H100 80GB HBM3, 1234, 81559, 97, 41\n1, T4, [N/A], 15360, 0, 30")
    )
    assert found["note"] == ""
    assert found["devices"] == [
        {
            "index": 0,
            "name": "NVIDIA H100 80GB HBM3",
            "memory_used_mib": 1234,
            "memory_total_mib": 81559,
            "busy": 0.97,
            "celsius": 41,
        },
        {
            "index": 1,
            "name": "T4",
            "memory_used_mib": None,
            "memory_total_mib": 15360,
            "busy": 0.0,
            "celsius": 30,
        },
    ]


def test_a_missing_gpu_is_said_and_a_hanging_driver_left_alone() -> None:
    assert gpus(["no-such-tool"]) == {
        "devices": [],
        "note": "no GPU on this machine (no-such-tool is not installed): speech runs on the CPU",
    }
    assert gpus(said_by_the_driver("")) == {"devices": [], "note": "no GPU on this machine"}
    failed = gpus(said_by_the_driver("NVIDIA-SMI has failed", code=9))
    assert failed["devices"] == [] and "NVIDIA-SMI has failed" in failed["note"]
    hung = gpus([sys.executable, "-c", "import time; time.sleep(60)"], timeout_s=0.5)
    assert hung["devices"] == [] and "did not answer within 0.5 s" in hung["note"]


def test_asking_for_gpus_does_not_import_torch() -> None:
    asked = "import sys, agents.instance.gpu; agents.instance.gpu.gpus(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
