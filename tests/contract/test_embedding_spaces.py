"""Talks that were embedded otherwise: on another kind of machine, with other settings, before an upgrade."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from structlog.testing import capture_logs

from agents.consumer.consumer import Position
from agents.topics.split import Split
from agents.topics.track import Track
from models.bundled_models import prepare
from models.codebook.codebook import load
from models.embedding.embedder import Embedder, Precision
from models.topics import TopicSettings
from models.transcripts.captions import parse
from models.transcripts.paragraphs import Paragraphs
from models.transcripts.transcript import Transcript
from streams.errors import DataError, Misconfigured
from streams.events import Event, ParagraphsAssigned, ParagraphsEmbedded, TranscriptReady, Video, stable_id
from streams.state.blobs import Blobs
from streams.state.epochs import Epochs
from streams.telemetry import EMBEDDED_AGAIN
from tests.processes import TALKS

FEW = sorted(TALKS.glob("*.json"))[:3]
PACKAGED = prepare(platformdirs.user_cache_path("groundswell") / "models").embedding
EARLIER = "all-MiniLM-L6-v2-1a2b3c4d"
"""A version as it was before versions said how much of a text is read."""


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(PACKAGED, "cpu", 1, max_tokens=300)


@dataclass
class Place:
    """A blob store with the transcripts of a few talks."""

    blobs: Blobs

    def ready(self) -> list[TranscriptReady]:
        """Return the transcripts, in the order of publication."""
        found = []
        for number, path in enumerate(FEW):
            transcript = Transcript(
                language="en",
                language_probability=None,
                duration_s=600,
                segments=parse(path.read_bytes(), path.name).segments,
                made_by={},
            )
            found.append(
                TranscriptReady(
                    video=Video(
                        video_id=json.loads(path.read_text())["id"],
                        published_at=datetime(2024, 1, 5, tzinfo=UTC) + timedelta(days=20 * number),
                    ),
                    transcript=self.blobs.put(f"transcripts/{number}", transcript.model_dump_json().encode()),
                    transcript_version="t",
                    language="en",
                    duration_s=600,
                    words=100,
                    speakers=1,
                )
            )
        return found

    async def split(self, by: Embedder) -> list[ParagraphsEmbedded]:
        agent = Split(self.blobs, by)
        events = [event for ready in self.ready() for event in await agent.handle(ready, at(0))]
        assert all(isinstance(event, ParagraphsEmbedded) for event in events)
        return events  # type: ignore[return-value]

    async def learn(self, events: Sequence[Event], by: Embedder, *, commit: bool = True) -> list[Event]:
        """Return what a tracker says that starts, learns these and ends, without their order of topics."""
        track = await tracker(self.blobs, by)
        said = [each for number, event in enumerate(events) for each in await track.handle(event, at(number))]
        if commit:
            await track.commit()
        return said


def at(offset: int) -> Position:
    return Position("log", "paragraphs.embedded", 0, offset)


async def tracker(blobs: Blobs, by: Embedder) -> Track:
    track = Track(blobs, load("llm-in-production"), by, TopicSettings())
    await track.start()
    return track


@pytest.fixture(scope="module")
def split(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the talks are split, and what the tracker needs at its start is embedded."""
    folder = tmp_path_factory.mktemp("split")
    place = Place(Blobs(str(folder)))
    asyncio.run(place.split(embedder))
    asyncio.run(tracker(place.blobs, embedder))
    return folder


@pytest.fixture
def place(split: Path, tmp_path: Path) -> Place:
    shutil.copytree(split, tmp_path / "blobs")
    return Place(Blobs(str(tmp_path / "blobs")))


def said_by(place: Place, event: ParagraphsEmbedded) -> Paragraphs:
    return Paragraphs.load(place.blobs.read(event.paragraphs))


def as_if(place: Place, event: ParagraphsEmbedded, version: str) -> ParagraphsEmbedded:
    """Return a talk as another embedder gave it: with other vectors, under its version."""
    said = said_by(place, event)
    other = said.model_copy(update={"embeddings": said.embeddings[:, ::-1], "embedding_model": version})
    blob = place.blobs.put(f"paragraphs/{stable_id(event.key)}/{stable_id(version)}.zip", other.dump())
    return event.model_copy(update={"paragraphs": blob, "embedding_model": version})


async def test_a_talk_of_an_earlier_version_is_embedded_again(place: Place, embedder: Embedder) -> None:
    talks = await place.split(embedder)
    expected = await Place(copy_of(place)).learn(talks, embedder)
    assert sum(isinstance(each, ParagraphsAssigned) for each in expected) == len(FEW)

    earlier = [as_if(place, talk, EARLIER) for talk in talks]
    before = EMBEDDED_AGAIN._value.get()
    with capture_logs() as logs:
        assert await place.learn(earlier, embedder, commit=False) == expected  # killed before it is settled
        assert await place.learn(earlier, embedder) == expected
    again = [line for line in logs if "embeds it again" in line["event"]]
    assert [line["video"] for line in again] == [talk.key for talk in talks]  # once each: the artefact stays
    assert again[0]["embedded_with"] == EARLIER and again[0]["log_level"] == "warning"
    assert EMBEDDED_AGAIN._value.get() == before + len(FEW)

    # What is taught or judged later reads the stored embeddings.
    track = await tracker(place.blobs, embedder)
    assert track._concepts is not None
    for learned, talk in zip(track._concepts.talks, talks, strict=True):
        stored = Paragraphs.load(place.blobs.read(learned.paragraphs))
        assert stored.embedding_model == embedder.version
        assert np.array_equal(stored.embeddings, said_by(place, talk).embeddings)


async def test_what_is_too_long_to_be_embedded_again_says_so(place: Place, embedder: Embedder) -> None:
    short = Embedder(PACKAGED, "cpu", 1, max_tokens=20)
    (talk, *_) = await place.split(embedder)
    track = Track(place.blobs, load("blank"), short, TopicSettings())
    await track.start()
    with pytest.raises(DataError, match=r"tokens, .* too long for .*-20-tokens") as refused:
        await track.handle(talk, at(0))
    assert "GROUNDSWELL_MAX_TOKENS" in refused.value.cure and "rebuild" in refused.value.cure


async def test_a_machine_of_another_precision_adds_to_one_study(place: Place, embedder: Embedder) -> None:
    """Its embeddings are learned as they are: they differ by rounding, and the log says which they are."""
    talks = await place.split(embedder)
    other: Precision = "float32" if embedder.precision == "bfloat16" else "bfloat16"
    elsewhere = Embedder(PACKAGED, "cpu", 1, max_tokens=300, precision=other)
    assert elsewhere.version != embedder.version
    # An event that is delivered again, to the other machine, gives the same event: nothing is learned twice.
    assert await place.split(elsewhere) == talks

    mixed = [as_if(place, talks[0], elsewhere.version), *talks[1:]]
    kept = list(place.blobs.keys("paragraphs"))
    said = await place.learn(mixed, embedder)
    assert [talk.paragraphs for talk in (await tracker(place.blobs, elsewhere))._concepts.talks] == [  # type: ignore[union-attr]
        talk.paragraphs for talk in mixed
    ]
    assert await place.learn(mixed, elsewhere) == said  # the tracker has moved to the other machine
    assert list(place.blobs.keys("paragraphs")) == kept


async def test_two_workers_at_one_talk_name_one_artefact(
    place: Place, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    talks = await place.split(embedder)
    first = {talk.paragraphs.key: place.blobs.get(talk.paragraphs.key) for talk in talks}
    for key in first:
        place.blobs.delete(key)
    embed = Embedder.embed

    def overtaken(self: Embedder, texts: Sequence[str]) -> object:
        """Embed a little otherwise, while the other worker stores its artefact."""
        for key, content in first.items():
            place.blobs.put(key, content)
        return -embed(self, texts)

    monkeypatch.setattr(Embedder, "embed", overtaken)
    assert await place.split(embedder) == talks
    assert {key: place.blobs.get(key) for key in first} == first


async def test_a_study_of_an_earlier_version_names_the_cure(
    place: Place, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    talks = await place.split(embedder)
    with monkeypatch.context() as earlier:
        earlier.setattr(Embedder, "space", property(lambda self: self.model))
        old = [as_if(place, talk, embedder.space) for talk in talks]
        before = await place.learn(old, embedder)
    with pytest.raises(Misconfigured, match="did not embed the end of long paragraphs") as refused:
        await tracker(place.blobs, embedder)
    assert embedder.model in refused.value.cause and embedder.space in refused.value.cause
    assert "groundswell rebuild" in refused.value.cure

    # The new epoch learns every talk, also what was on its way before the upgrade.
    Epochs(place.blobs).begin(datetime(2025, 1, 1, tzinfo=UTC))
    after = await place.learn(old, embedder)
    assigned = [
        [each.key for each in said if isinstance(each, ParagraphsAssigned)] for said in (before, after)
    ]
    assert assigned[0] == assigned[1] == [talk.key for talk in talks]


def copy_of(place: Place) -> Blobs:
    folder = Path(place.blobs.url)
    shutil.copytree(folder, other := folder.with_name("copy"))
    return Blobs(str(other))
