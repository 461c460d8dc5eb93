"""The concepts of an epoch: judged as it began, whatever is edited later, and never mixed with clusters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from agents.consumer.consumer import Position
from agents.topics import concepts
from agents.topics.checkpoints import Checkpoints
from agents.topics.concepts import ConceptBasis, Concepts
from agents.topics.seed_embeddings import prototypes
from agents.topics.track import Track
from models.bundled_models import prepare
from models.codebook.codebook import Codebook, load
from models.concepts.judge import ConceptCorrection, Learned, shipped_corrections, shipped_model
from models.embedding.embedder import Embedder
from models.topics import (
    Assignment,
    Birth,
    Dormancy,
    Drift,
    EarlierAssignment,
    Emergence,
    Outcome,
    TopicSettings,
    TopicState,
)
from models.transcripts.paragraphs import Paragraph, Paragraphs
from streams.events import (
    ConsolidationRequested,
    EpochBegun,
    Event,
    ParagraphsAssigned,
    ParagraphsEmbedded,
    SubjectEmerged,
    TopicBorn,
    TopicChanged,
    TopicDormant,
    TopicDrifted,
    TopicMerged,
    Video,
    stable_id,
)
from streams.state.blobs import Blobs
from streams.state.epochs import Epochs

pytestmark = pytest.mark.long  # tests/contract/test_teaching.py is the short way through the same agent
BOOK = load("llm-in-production")
CONCEPTS = range(1, 21)
RAG, AGENTS = 1, 2
WORDS = {
    "rag": "retrieval chunks embedding vector database reranker documents index passages prompt rag search",
    "agents": "agent plans tool calls autonomous steps workflow orchestration loops multi-agent actions",
    "bees": "hive honey queen pollen nectar swarm beekeeper wax frames colony drones smoker",
    "trains": "locomotive railway signal platform carriage timetable junction whistle brakes freight bogie",
}
SPONSOR = (
    "Our friends keep a vector database for retrieval that you can try while you listen: put your documents "
    "and embeddings into it, ask for the nearest chunks with hybrid search, and rerank what you retrieve."
)
PARAGRAPHS = ("rag", "bees", "trains", "bees", "agents", "")
"""The subjects of each talk's paragraphs; the last one is the sponsor's."""
TALKS = 6


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(
        prepare(platformdirs.user_cache_path("groundswell") / "models").embedding, "cpu", 1, max_tokens=300
    )


@pytest.fixture(scope="module")
def talks(embedder: Embedder) -> list[Paragraphs]:
    """Return talks of one show, each with words of its own and the same words of a sponsor."""
    rng = np.random.default_rng(0)
    texts = [
        " ".join(rng.choice(WORDS[subject].split(), 40)) if subject else SPONSOR
        for _ in range(TALKS)
        for subject in PARAGRAPHS
    ]
    vectors, count = embedder.embed(texts), len(PARAGRAPHS)
    return [
        Paragraphs(
            paragraphs=tuple(
                Paragraph(position=at, start=60.0 * at, end=60.0 * at + 60, text=texts[first + at], tokens=40)
                for at in range(count)
            ),
            embeddings=vectors[first : first + count],
            embedding_model=embedder.version,
        )
        for first in range(0, TALKS * count, count)
    ]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Blobs:
    """Return a blob store with the embeddings of the codebook's texts, which take a second."""
    made = Blobs(str(tmp_path_factory.mktemp("embedded")))
    prototypes(BOOK, embedder, made)
    return made


@pytest.fixture
def blobs(tmp_path: Path, embedded: Blobs) -> Blobs:
    return fresh(tmp_path / "blobs", embedded)


def fresh(folder: Path, embedded: Blobs) -> Blobs:
    """Return a blob store that has nothing but the embeddings of the codebook's texts."""
    made = Blobs(str(folder))
    for key in embedded.keys("model/seeds"):
        made.put(key, embedded.get(key))
    return made


def said(blobs: Blobs, number: int, talk: Paragraphs, version: str = "t") -> ParagraphsEmbedded:
    return ParagraphsEmbedded(
        video=Video(
            video_id=f"v{number}",
            title="Language models in production",
            show="Nights",
            published_at=datetime(2024, 1, 5, tzinfo=UTC) + timedelta(days=20 * number),
        ),
        paragraphs=blobs.put(f"paragraphs/{number}-{version}", talk.dump()),
        transcript_version=version,
        embedding_model=talk.embedding_model,
        count=len(talk.paragraphs),
    )


@pytest.fixture
def events(blobs: Blobs, talks: list[Paragraphs]) -> list[ParagraphsEmbedded]:
    return [said(blobs, number, talk) for number, talk in enumerate(talks)]


async def tracker(blobs: Blobs, embedder: Embedder, book: Codebook = BOOK) -> tuple[Track, str]:
    """Return a started tracker, and where its epoch stores what it judges by."""
    made = Track(blobs, book, embedder, TopicSettings())
    begun = (await made.start())[0]
    assert isinstance(begun, EpochBegun)
    return made, f"assigned/{stable_id(begun.model_version)}/concepts.json"


async def learn(track: Track, events: Sequence[Event], first: int = 0) -> list[Event]:
    outputs: list[Event] = []
    for offset, event in enumerate(events, first):
        outputs += await track.handle(event, Position("log", "paragraphs.embedded", 0, offset))
    return outputs


def assignments(outputs: Sequence[Event]) -> list[ParagraphsAssigned]:
    return [event for event in outputs if isinstance(event, ParagraphsAssigned)]


def concepts_of(event: ParagraphsAssigned, subject: str) -> list[list[int]]:
    """Return the concepts of a talk's paragraphs about a subject."""
    return [
        [each.topic_id for each in paragraph.concepts]
        for paragraph, spoken in zip(event.assignments, PARAGRAPHS, strict=True)
        if spoken == subject
    ]


def edited() -> Codebook:
    """Return the codebook with another first topic, in which nothing of the talks is about retrieval."""
    bees = {
        "name": "Bees",
        "definition": "Keeping bees.",
        "terms": ("hive", "honey"),
        "description": "Hives.",
    }
    return BOOK.model_copy(update={"topics": (BOOK.topics[0].model_copy(update=bees), *BOOK.topics[1:])})


def ship_other_corrections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Come with corrections that make every paragraph one about agents, as another version might."""
    other = Learned(concepts={"agents": ConceptCorrection(bias=20.0)})
    monkeypatch.setattr(concepts, "shipped_corrections", lambda _: other)


async def test_a_new_epoch_stores_what_it_judges_by(blobs: Blobs, embedder: Embedder) -> None:
    _, key = await tracker(blobs, embedder)
    basis = ConceptBasis.model_validate_json(blobs.get(key))
    assert (basis.codebook, basis.pooled) == (BOOK, shipped_model())
    assert basis.learned == shipped_corrections(BOOK.name)


async def test_paragraphs_are_about_what_is_said_in_them(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    track, _ = await tracker(blobs, embedder)
    first, *_ = assignments(await learn(track, events[:1]))
    assert first.judge
    assert concepts_of(first, "rag")[0][0] == RAG
    assert concepts_of(first, "agents")[0][0] == AGENTS
    for paragraph in first.assignments:
        probabilities = [each.probability for each in paragraph.concepts]
        assert probabilities == sorted(probabilities, reverse=True)
        assert all(0.3 <= each <= 1 for each in probabilities)


async def test_an_edited_codebook_waits_for_the_next_epoch(
    tmp_path: Path,
    embedded: Blobs,
    embedder: Embedder,
    talks: list[Paragraphs],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    undisturbed, other = fresh(tmp_path / "undisturbed", embedded), fresh(tmp_path / "other", embedded)
    events = [said(undisturbed, number, talk) for number, talk in enumerate(talks)]
    assert [said(other, number, talk) for number, talk in enumerate(talks)] == events
    whole, _ = await tracker(undisturbed, embedder)
    expected = await learn(whole, events)

    track, key = await tracker(other, embedder)
    outputs = await learn(track, events[:1])
    await track.commit()
    stored = other.get(key)
    ship_other_corrections(monkeypatch)
    for number in (1, 2, 4):
        track, same_key = await tracker(other, embedder, edited())
        outputs += await learn(track, events[number : min(2 * number, TALKS)], number)
        await track.commit()
        assert same_key == key
    assert outputs == expected
    assert other.get(key) == stored

    Epochs(other).begin(datetime(2025, 1, 1, tzinfo=UTC))
    track, new_key = await tracker(other, embedder, edited())
    basis = ConceptBasis.model_validate_json(other.get(new_key))
    assert new_key != key
    assert (basis.codebook, set(basis.learned.concepts)) == (edited(), {"agents"})
    (after,) = assignments(await learn(track, events[:1], TALKS))
    assert after.judge != assignments(expected)[0].judge
    assert RAG not in concepts_of(after, "rag")[0]
    assert all(AGENTS in each for each in concepts_of(after, "trains"))


async def test_before_its_first_talk_an_epoch_judges_as_it_began(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded], monkeypatch: pytest.MonkeyPatch
) -> None:
    track, key = await tracker(blobs, embedder)
    stored = blobs.get(key)
    expected = await learn(track, events[:1])  # … and killed before it was settled
    ship_other_corrections(monkeypatch)
    again, same_key = await tracker(blobs, embedder)
    assert (same_key, blobs.get(key)) == (key, stored)
    assert await learn(again, events[:1]) == expected


async def test_an_epoch_without_concepts_assigns_as_before(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    track, key = await tracker(blobs, embedder)
    await learn(track, events[:2])
    await track.commit()
    blobs.delete(key)  # as a version without concepts left it
    for number in (2, 3):
        track, _ = await tracker(blobs, embedder)
        (event,) = assignments(await learn(track, events[number : number + 1], number))
        await track.commit()
        assert event.judge == ""
        assert all(each.concepts == () for each in event.assignments)
        about = [each.topic_id for each in event.assignments]
        assert (about[PARAGRAPHS.index("rag")], about[PARAGRAPHS.index("agents")]) == (RAG, AGENTS)
    assert not blobs.exists(key)


async def test_no_event_takes_a_definition_for_a_cluster(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    track, _ = await tracker(blobs, embedder)
    outputs: list[Event] = []
    request = ConsolidationRequested(on=date(2024, 6, 1), requested_at=datetime(2024, 6, 1, tzinfo=UTC))
    log: list[Event] = [*events, request]
    for number, event in enumerate(log):
        told = await learn(track, [event], number)
        mentioned = {
            each.topic_id
            for talk in assignments(told)
            for paragraph in talk.assignments
            for each in paragraph.concepts
        }
        changed = {each.topic_id for each in told if isinstance(each, TopicChanged)}
        assert changed & set(CONCEPTS) <= mentioned
        outputs += told
    named = [event for event in outputs if isinstance(event, TopicChanged) and event.topic_id in CONCEPTS]
    assert {RAG, AGENTS} <= {event.topic_id for event in named}
    assert all(event.label == BOOK.topics[event.topic_id - 1].name for event in named)
    births = [event for event in outputs if isinstance(event, TopicBorn)]
    assert births
    clusters = [paragraph.topic_id for event in assignments(outputs) for paragraph in event.assignments]
    clusters += [founder.topic_id for birth in births for founder in birth.founders]
    clusters += [birth.parent for birth in births] + [birth.topic_id for birth in births]
    clusters += [event.topic_id for event in outputs if isinstance(event, TopicDormant | TopicMerged)]
    clusters += [event.topic_id for event in outputs if isinstance(event, SubjectEmerged)]
    assert not set(clusters) & set(CONCEPTS)
    assert not any(isinstance(event, TopicDrifted) for event in outputs), "six talks are too few"


BORN, ON = 21, date(2024, 6, 1)


def state(topic_id: int) -> TopicState:
    return TopicState(topic_id, f"topic {topic_id}", (("word", 0.5),), "born", None, None)


def drift(topic_id: int) -> Drift:
    return Drift(topic_id, "share", 0.1, 0.4, (), (), ON, 40, 12, "b")


def emergence(topic_id: int | None) -> Emergence:
    return Emergence(
        subject="MCP", terms=("mcp",), channel="term", topic_id=topic_id, video_ids=("v0",), sources=1,
        recent=3, recent_of=50, earlier=0, earlier_of=100, log10_p=-6.0, first_on=ON, latest_on=ON, quotes=(),
        reason="so", batch_id="b",
    )  # fmt: skip


def everything(*topic_ids: int | None) -> Outcome:
    """Return an outcome in which each of these topics occurs wherever a topic may."""
    known = [topic_id for topic_id in topic_ids if topic_id is not None]
    return Outcome(
        video_index=0,
        assignments=tuple(
            Assignment(f"p{at}", topic_id, 0.5, boilerplate=topic_id is None)
            for at, topic_id in enumerate(topic_ids)
        ),
        births=tuple(
            Birth(
                state(BORN),
                ("p",),
                ("v0",),
                "b",
                tuple(
                    EarlierAssignment("v0", 0, "2024-01", f"q{at}", topic_id, 0.5)
                    for at, topic_id in enumerate(topic_ids)
                ),
                parent,
            )
            for parent in topic_ids
        ),
        dormancies=tuple(Dormancy(topic_id, True, "b") for topic_id in known),
        topics_changed=tuple(state(topic_id) for topic_id in known),
        drifts=tuple(drift(topic_id) for topic_id in known),
        emergences=tuple(emergence(topic_id) for topic_id in topic_ids),
    )


async def test_clusters_are_what_a_model_tells_beside_definitions(blobs: Blobs, embedder: Embedder) -> None:
    _, key = await tracker(blobs, embedder)
    loaded = Concepts.load(key, {}, blobs=blobs, embedder=embedder, settings=TopicSettings())
    assert loaded is not None
    found = loaded.clusters(everything(1, 20, BORN, None))
    assert [(each.topic_id, each.boilerplate) for each in found.assignments] == [
        (None, False),
        (None, False),
        (BORN, False),
        (None, True),
    ]
    assert [birth.parent for birth in found.births] == [None, None, BORN, None]
    for birth in found.births:
        assert [each.topic_id for each in birth.assignments] == [None, None, BORN, None]
        assert birth.topic == state(BORN)
    assert [each.topic_id for each in found.dormancies] == [BORN]
    assert found.topics_changed == (state(BORN),)
    assert found.drifts == (drift(BORN),)
    assert [each.topic_id for each in found.emergences] == [None, None, BORN, None]
    assert loaded.clusters(everything(BORN, 22, None)).drifts == everything(BORN, 22, None).drifts


async def test_with_a_blank_codebook_every_topic_is_a_cluster(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    track, key = await tracker(blobs, embedder, load("blank"))
    assert blobs.exists(key)
    outputs = await learn(track, events[:4])
    await track.commit()
    track, _ = await tracker(blobs, embedder, load("blank"))
    outputs += await learn(track, events[4:], 4)
    paragraphs = [paragraph for event in assignments(outputs) for paragraph in event.assignments]
    assert all(paragraph.concepts == () for paragraph in paragraphs)
    born = {event.topic_id for event in outputs if isinstance(event, TopicBorn)}
    assert 1 in born
    assert {paragraph.topic_id for paragraph in paragraphs} - {None} <= born
    assert any(paragraph.topic_id == 1 for paragraph in paragraphs)


async def test_boilerplate_has_no_concept(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    track, _ = await tracker(blobs, embedder)
    heard = assignments(await learn(track, events))
    sponsors = [event.assignments[PARAGRAPHS.index("")] for event in heard]
    assert [each.boilerplate for each in sponsors] == [False, False, True, True, True, True]
    for sponsor in sponsors:
        ids = [each.topic_id for each in sponsor.concepts]
        assert ids == [] if sponsor.boilerplate else ids[0] == RAG
    assert all(concepts_of(event, "rag")[0] for event in heard)


async def test_a_talk_without_content_words_has_no_concept(
    blobs: Blobs, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship_other_corrections(monkeypatch)
    texts = ["", "well you know", "honey"]
    talk = Paragraphs(
        paragraphs=tuple(
            Paragraph(position=at, start=at, end=at + 1, text=text, tokens=3) for at, text in enumerate(texts)
        ),
        embeddings=embedder.embed(texts),
        embedding_model=embedder.version,
    )
    track, _ = await tracker(blobs, embedder)
    (event,) = assignments(await learn(track, [said(blobs, 0, talk)]))
    assert [[each.topic_id for each in paragraph.concepts] for paragraph in event.assignments] == [
        [],
        [],
        [AGENTS],
    ]


async def test_a_talk_learned_again_counts_once_for_drift(
    blobs: Blobs, embedder: Embedder, talks: list[Paragraphs], events: list[ParagraphsEmbedded]
) -> None:
    track, _ = await tracker(blobs, embedder)
    again = said(blobs, 0, talks[0], "better")
    outputs = await learn(track, [*events[:2], again])
    assert [event.transcript_version for event in assignments(outputs)] == ["t", "t", "better"]
    await track.commit()
    checkpoint = Checkpoints(blobs, 0).newest()
    assert checkpoint is not None
    assert len(checkpoint.snapshot.arrays["concept_drift_days"]) == 2
