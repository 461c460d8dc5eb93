"""A talk that repeats known ones counts once, in whatever order and however often it arrives."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import platformdirs
import pytest
import structlog

from agents.consumer.consumer import Position
from agents.topics.checkpoints import CHECKPOINTS
from agents.topics.track import Track
from models.bundled_models import prepare
from models.codebook.codebook import load
from models.dedup.content_overlap import Repeats
from models.embedding.embedder import Embedder
from models.topics import TopicSettings
from models.topics.snapshot import snapshot
from models.transcripts.captions import parse
from models.transcripts.paragraphs import Paragraphs
from models.transcripts.splitting import Splitter
from models.transcripts.transcript import Segment, Transcript
from streams.events import (
    Event,
    ParagraphsAssigned,
    ParagraphsEmbedded,
    SubjectEmerged,
    TopicBorn,
    Video,
    VideoRejected,
)
from streams.state.blobs import Blobs
from streams.state.epochs import Epochs
from tests.processes import TALKS
from tests.realdata import shared

OF_EPISODE = 4
BEGIN = datetime(2024, 1, 5, tzinfo=UTC)
NEWS = (
    "first-mcp-server",
    "stdio-to-http",
    "mcp-gateway-identity",
    "one-server-five-clients",
    "internal-registry",
)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(
        prepare(platformdirs.user_cache_path("groundswell") / "models").embedding, "cpu", 1, max_tokens=300
    )


@dataclass
class Show:
    """Factory of episodes made of sample talks, with real artefacts as split makes them."""

    embedder: Embedder
    blobs: Blobs

    def episode(
        self,
        video_id: str,
        talks: Sequence[Path],
        day: int,
        *,
        kept_by: str | None = None,
        version: str = "t",
    ) -> ParagraphsEmbedded:
        """Return one video of these talks in sequence, published `day` days after the beginning."""
        artefact, count = made(self.embedder, tuple(talks))
        return ParagraphsEmbedded(
            video=Video(
                video_id=video_id, channel=f"channel of {video_id}", published_at=BEGIN + timedelta(day)
            ),
            paragraphs=self.blobs.put(f"paragraphs/{video_id}-{version}", artefact),
            transcript_version=version,
            embedding_model=self.embedder.version,
            count=count,
            kept_by=kept_by,
        )


@cache
def made(embedder: Embedder, talks: tuple[Path, ...]) -> tuple[bytes, int]:
    """Return the artefact of these talks as one recording, and its number of paragraphs."""
    segments: list[Segment] = []
    for path in talks:
        began = segments[-1].end if segments else 0.0
        segments += [
            segment.model_copy(
                update={"start": began + segment.start, "end": began + segment.end, "words": ()}
            )
            for segment in parse(path.read_bytes(), path.name).segments
        ]
    transcript = Transcript(
        language="en",
        language_probability=None,
        duration_s=segments[-1].end,
        segments=tuple(segments),
        made_by={},
    )
    paragraphs = Splitter(embedder.tokenizer, 300).split(transcript)
    embeddings = embedder.embed([paragraph.text for paragraph in paragraphs])
    artefact = Paragraphs(paragraphs=paragraphs, embeddings=embeddings, embedding_model=embedder.version)
    return artefact.dump(), len(paragraphs)


def sample(first: int) -> list[Path]:
    """Return the sample talks of one episode; no two episodes share a talk."""
    return sorted(TALKS.glob("2024*.json"))[first * OF_EPISODE : (first + 1) * OF_EPISODE]


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs"))


@pytest.fixture
def show(embedder: Embedder, blobs: Blobs) -> Show:
    return Show(embedder, blobs)


async def tracker(show: Show) -> Track:
    track = Track(show.blobs, load("llm-in-production"), show.embedder, TopicSettings())
    await track.start()
    return track


async def learn(track: Track, events: Sequence[Event], first: int = 0) -> list[Event]:
    """Let the tracker handle events as a log from this offset on; return its outputs."""
    outputs: list[Event] = []
    for offset, event in enumerate(events, first):
        outputs += await track.handle(event, Position("log", "paragraphs.embedded", 0, offset))
    return outputs


def outcomes(outputs: Sequence[Event]) -> list[tuple[str, str]]:
    """Return each talk's outcome: learned or rejected."""
    return [
        (output.key, "rejected" if isinstance(output, VideoRejected) else "learned")
        for output in outputs
        if isinstance(output, ParagraphsAssigned | VideoRejected)
    ]


@pytest.fixture
def log(show: Show) -> list[ParagraphsEmbedded]:
    """Return the log of three episodes, a repost of the first one, and a best-of."""
    return [
        show.episode("a", sample(0), 0),
        show.episode("b", sample(1), 10),
        show.episode("a elsewhere", sample(0), 12),
        show.episode("c", sample(2), 20),
        show.episode("best of", [*sample(0)[:2], *sample(1)[:2], *sample(2)[:1]], 30),
    ]


FATES = [
    ("a", "learned"),
    ("b", "learned"),
    ("a elsewhere", "rejected"),
    ("c", "learned"),
    ("best of", "rejected"),
]


@pytest.mark.long
async def test_cross_posts_and_best_ofs_are_rejected_with_sources(
    show: Show, log: list[ParagraphsEmbedded]
) -> None:
    outputs = await learn(await tracker(show), log)
    assert outcomes(outputs) == FATES
    copied, compiled = (output for output in outputs if isinstance(output, VideoRejected))
    assert (copied.rule, copied.reason) == ("duplicate", "it repeats what a said: 100% of it")
    assert compiled.rule == "duplicate"
    assert "it repeats what " in compiled.reason
    assert all(f"{name} (" in compiled.reason for name in ("a", "b"))
    assert [event.video_index for event in outputs if isinstance(event, ParagraphsAssigned)] == [0, 1, 2]


@pytest.mark.long
async def test_killed_anywhere_the_same_talks_are_rejected(
    show: Show, log: list[ParagraphsEmbedded], tmp_path: Path
) -> None:
    expected = await learn(await tracker(show), log)
    other = Show(show.embedder, Blobs(str(tmp_path / "other")))
    for key in show.blobs.keys("paragraphs"):
        other.blobs.put(key, show.blobs.get(key))
    outputs: list[Event] = []
    for number, event in enumerate(log):
        killed = await tracker(other)
        await learn(killed, [event], number)  # … and never settled
        track = await tracker(other)
        outputs += await learn(track, [event], number)
        await track.commit()
    assert outputs == expected
    assert await learn(await tracker(other), log) == expected  # all of it comes again
    one = await tracker(show)
    await learn(one, log)
    await one.commit()
    assert newest(show.blobs) == newest(other.blobs), "settled once, or after each talk"


def newest(blobs: Blobs) -> dict[str, bytes]:
    """Return the arrays of the repetition index in the newest checkpoint."""
    arrays = snapshot.load(blobs.get(list(blobs.keys(CHECKPOINTS))[-1])).arrays
    return {name: array.tobytes() for name, array in arrays.items() if name.startswith("repeats_")}


async def test_a_talk_kept_by_a_person_is_learned_and_no_repeat_of_it(
    show: Show, log: list[ParagraphsEmbedded]
) -> None:
    track = await tracker(show)
    await learn(track, log)
    kept = log[2].model_copy(update={"kept_by": "ann"})
    assert kept.event_id != log[2].event_id
    outputs = await learn(track, [kept, log[2]], len(log))
    assert outcomes(outputs) == [("a elsewhere", "learned"), ("a elsewhere", "rejected")]
    await track.commit()
    again = await tracker(show)
    assert await learn(again, [kept, log[2]], len(log)) == outputs
    third = show.episode("a at a third place", sample(0), 40)
    (rejected,) = await learn(again, [third], len(log) + 2)
    assert isinstance(rejected, VideoRejected)
    assert "a (100%), a elsewhere (100%)" in rejected.reason


async def test_a_counted_talk_is_not_rejected_when_transcribed_again(
    show: Show, log: list[ParagraphsEmbedded]
) -> None:
    track = await tracker(show)
    kept = log[2].model_copy(update={"kept_by": "ann"})
    await learn(track, [log[0], kept])
    anew = [
        show.episode("a", sample(0), 0, version="u"),
        show.episode("a elsewhere", sample(0), 12, version="u"),
    ]
    assert outcomes(await learn(track, anew, 2)) == [("a", "learned"), ("a elsewhere", "learned")]


async def test_a_rejected_talk_with_another_transcript_is_learned(
    show: Show, log: list[ParagraphsEmbedded]
) -> None:
    track = await tracker(show)
    await learn(track, log[:3])
    mended = show.episode("a elsewhere", sample(3), 12, version="u")
    assert outcomes(await learn(track, [mended], 3)) == [("a elsewhere", "learned")]


@pytest.mark.long
async def test_a_longer_talk_around_a_known_excerpt_counts_too(show: Show) -> None:
    track = await tracker(show)
    excerpt = show.episode("excerpt", [*sample(0)[:2]], 0)
    longer = show.episode("whole", [*sample(0), *sample(1), *sample(2)], 5)
    with structlog.testing.capture_logs() as said:
        assert outcomes(await learn(track, [excerpt, longer])) == [
            ("excerpt", "learned"),
            ("whole", "learned"),
        ]
    (warned,) = [line for line in said if line["log_level"] == "warning"]
    assert (warned["video"], warned["contains"]) == ("whole", "excerpt")


async def test_a_new_epoch_learns_all_again_and_judges_for_itself(
    show: Show, log: list[ParagraphsEmbedded]
) -> None:
    old = await tracker(show)
    before = await learn(old, log)
    await old.commit()
    Epochs(show.blobs).begin(datetime(2025, 1, 1, tzinfo=UTC))
    after = await learn(await tracker(show), [log[2], log[0], *log[3:]], len(log))
    assert outcomes(after) == [
        ("a elsewhere", "learned"),
        ("a", "rejected"),
        ("c", "learned"),
        ("best of", "rejected"),
    ]
    assert {event.epoch for event in before if isinstance(event, ParagraphsAssigned | VideoRejected)} == {0}
    assert {event.epoch for event in after if isinstance(event, ParagraphsAssigned | VideoRejected)} == {1}


async def test_a_checkpoint_from_before_comparison_knows_no_talks(
    show: Show, log: list[ParagraphsEmbedded]
) -> None:
    track = await tracker(show)
    await learn(track, log[:2])
    await track.commit()
    (key,) = show.blobs.keys(CHECKPOINTS)
    written = snapshot.load(show.blobs.get(key))
    arrays = {name: each for name, each in written.arrays.items() if not name.startswith("repeats_")}
    assert len(arrays) < len(written.arrays)
    show.blobs.put(key, snapshot.dump(snapshot.Snapshot(arrays, written.meta)))
    outputs = await learn(await tracker(show), [log[2], show.episode("a again", sample(0), 50)], 2)
    assert outcomes(outputs) == [("a elsewhere", "learned"), ("a again", "rejected")]


@pytest.mark.long
async def test_one_talk_posted_ten_times_is_no_new_topic(show: Show, tmp_path: Path) -> None:
    """If each post counts, a topic is born: the same posts, kept by a person, show that."""
    earlier = [show.episode(f"earlier {number}", [path], number) for number, path in enumerate(all_of_2024())]
    news = [path for name in NEWS for path in TALKS.glob(f"*{name}.json")]
    posts = [show.episode(f"post {number}", news, 200 + number) for number in range(10)]
    elsewhere = Blobs(str(tmp_path / "counted"))
    counted = Track(elsewhere, load("llm-in-production"), show.embedder, TopicSettings())
    await counted.start()
    for event in (*earlier, *posts):
        elsewhere.put(event.paragraphs.key, show.blobs.get(event.paragraphs.key))
    each = [post.model_copy(update={"kept_by": "ann"}) for post in posts]
    found = [
        await learn(track, [*earlier, *told])
        for track, told in ((await tracker(show), posts), (counted, each))
    ]
    once, ten_times = (
        [event for event in outputs if isinstance(event, TopicBorn | SubjectEmerged)] for outputs in found
    )
    assert outcomes(found[0])[-10:] == [
        ("post 0", "learned"),
        *((f"post {n}", "rejected") for n in range(1, 10)),
    ]
    assert ten_times
    assert not once


def all_of_2024() -> list[Path]:
    return sorted(TALKS.glob("2024*.json"))


@pytest.fixture(scope="module")
def real() -> dict[str, tuple[str, list[str]]]:
    """Return real talks of shows with cross-posts and best-ofs, and all grouped ones: {id: (day, texts)}."""
    groups = json.loads(shared("near_duplicate_groups.json").read_text())
    grouped = {name for group in groups for name, *_ in group}
    found: dict[str, tuple[str, list[str]]] = {}
    for path in sorted(shared("talks").glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            for record in map(json.loads, lines):
                if record["id"] in grouped or record["id"].startswith("changelog:gotime:"):
                    said = [segment["text"] for segment in record["segments"]]
                    found[record["id"]] = (record["published_at"][:10], said)
    return found


@pytest.mark.long
def test_only_real_cross_posts_and_best_ofs_are_recognised(
    real: dict[str, tuple[str, list[str]]],
) -> None:
    groups = [
        {name for name, *_ in group if name in real}
        for group in json.loads(shared("near_duplicate_groups.json").read_text())
    ]
    known = Repeats()
    rejected: dict[str, set[str]] = {}
    before: dict[str, set[str]] = {}
    for name in sorted(real, key=lambda each: (real[each][0], each)):
        overlap = known.find(name, real[name][1])
        same = {other for group in groups if name in group for other in group - {name}}
        before[name] = {other for other in same if other in known}
        if overlap.again:
            rejected[name] = {talk.video_id for talk in overlap.talks}
        else:
            known.add(name, real[name][1])
    right = {name for name, said_by in rejected.items() if said_by & before[name]}
    assert {name for name in rejected if name not in right} == {
        "changelog:gotime:funny-bits-2021",
        "changelog:gotime:338",
    }, "two best-ofs of Go Time, which the groups do not name because no one talk is half of them"
    missed = {name for name in real if before[name] and name not in rejected}
    assert len(right) >= 25
    assert len(missed) <= 7
