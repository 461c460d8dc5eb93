"""People teach a topic of the codebook: what they judged holds for all talks, and nothing of it is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from event_factories import MODEL, TRANSCRIPT, assigned, write
from taught_study import AGENTS, SAID, a_taught_study, write_texts

from agents.consumer.consumer import Position
from agents.curation.concept_teaching import ConceptTeacher
from agents.instance.event_publisher import Deliver, writing
from agents.queries.registry import VIEWS, asking
from agents.storage.store import Store
from agents.topics.seed_embeddings import prototypes
from agents.topics.track import Track
from models.bundled_models import prepare
from models.codebook.codebook import Codebook, load
from models.embedding.embedder import Embedder
from models.errors import BadInput
from models.topics import TopicSettings
from models.transcripts.paragraphs import Paragraph, Paragraphs
from streams import events as e
from streams.errors import DataError, Unavailable
from streams.logs.concept_judgements import COUNTED, ConceptJudgements, counted_judgements
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store import missing
from streams.store.warehouse import Warehouse

NOON = datetime(2025, 4, 2, 12, tzinfo=UTC)
BOOK = Codebook(name="three", topics=load("llm-in-production").topics[:3])
ABOUT = (((AGENTS, 0.5), (1, 0.9)), ((AGENTS, 0.85),), ())
"""Concepts of the paragraphs of a talk."""
TALKS = 4


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(
        prepare(platformdirs.user_cache_path("groundswell") / "models").embedding, "cpu", 1, max_tokens=300
    )


@pytest.fixture(scope="module")
def artefact(embedder: Embedder) -> bytes:
    """Return the paragraphs of a talk, embedded."""
    paragraphs = tuple(
        Paragraph(position=at, start=60.0 * at, end=60.0 * at + 50, text=text, tokens=20)
        for at, text in enumerate(SAID)
    )
    made = Paragraphs(
        paragraphs=paragraphs, embeddings=embedder.embed(SAID), embedding_model=embedder.version
    )
    return made.dump()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Blobs:
    """Return a blob store with the embeddings of the codebook's texts, which take a second."""
    made = Blobs(str(tmp_path_factory.mktemp("embedded")))
    prototypes(BOOK, embedder, made)
    return made


@pytest.fixture
def blobs(tmp_path: Path, embedded: Blobs) -> Blobs:
    made = Blobs(str(tmp_path / "blobs"))
    for key in embedded.keys("model/seeds"):
        made.put(key, embedded.get(key))
    return made


@pytest.fixture
def talks(blobs: Blobs, artefact: bytes, embedder: Embedder) -> list[e.ParagraphsEmbedded]:
    return [
        e.ParagraphsEmbedded(
            video=e.Video(
                video_id=f"talk-{number}",
                title="A talk about LLM agents",
                published_at=NOON + timedelta(days=number),
            ),
            paragraphs=blobs.put(f"paragraphs/{number}", artefact),
            transcript_version="t",
            embedding_model=embedder.version,
            count=len(SAID),
            kept_by="ann",  # the talks repeat each other
        )
        for number in range(TALKS)
    ]


async def tracker(blobs: Blobs, embedder: Embedder) -> Track:
    made = Track(blobs, BOOK, embedder, TopicSettings())
    await made.start()
    return made


async def handled(track: Track, events: Sequence[e.Event], first: int = 0) -> list[e.Event]:
    outputs: list[e.Event] = []
    for number, event in enumerate(events, first):
        outputs += await track.handle(event, Position("log", "paragraphs.embedded", 0, number))
    await track.commit()
    return outputs


def request(blobs: Blobs, *said: tuple[str, int, bool, float], minute: int = 0) -> e.ConceptsTaught:
    """Return a request with judgements of Agents: (talk, position, about, weight)."""
    judgements = [
        {
            "video_id": video_id,
            "paragraph_id": e.paragraph_id(video_id, "t", position),
            "concept": "agents",
            "about": about,
            "weight": weight,
        }
        for video_id, position, about, weight in said
    ]
    blob = blobs.put(f"judgements/{minute}.json", json.dumps(judgements).encode())
    return e.ConceptsTaught(
        judgements=blob, requested_by="ann", requested_at=NOON + timedelta(minutes=minute)
    )


def agents_of(outputs: Sequence[e.Event]) -> dict[str, float]:
    """Return the probability of Agents of each paragraph in these outputs, 0 where it is not about them."""
    found: dict[str, float] = {}
    for event in outputs:
        paragraphs: Sequence[e.AssignedParagraph | e.RejudgedParagraph] = ()
        if isinstance(event, e.ParagraphsAssigned):
            paragraphs = event.assignments
        elif isinstance(event, e.ConceptsRejudged):
            paragraphs = event.paragraphs
        for each in paragraphs:
            about = {concept.topic_id: concept.probability for concept in each.concepts}
            found[each.paragraph_id] = about.get(AGENTS, 0.0)
    return found


NOT_THE_TEAM = [("talk-0", 1, False, 1.0), ("talk-1", 1, False, 1.0), ("talk-2", 1, False, 1.0)]
MODELS_ACT = [("talk-0", 0, True, 1.0), ("talk-1", 0, True, 1.0)]
TEAM = e.paragraph_id("talk-3", "t", 1)
MODELS = e.paragraph_id("talk-3", "t", 0)


async def test_what_is_judged_holds_for_talks_nobody_judged(
    blobs: Blobs, embedder: Embedder, talks: list[e.ParagraphsEmbedded]
) -> None:
    track = await tracker(blobs, embedder)
    before = agents_of(await handled(track, talks))
    outputs = await handled(track, [request(blobs, *NOT_THE_TEAM, *MODELS_ACT)], TALKS)
    after = before | agents_of(outputs)
    assert after[TEAM] < before[TEAM] - 0.1
    assert after[MODELS] > before[MODELS]
    rejudged = [event for event in outputs if isinstance(event, e.ConceptsRejudged)]
    assert {event.judge for event in rejudged} != {""}
    assert len({event.event_id for event in rejudged}) == len(rejudged) == TALKS


async def test_later_talks_are_judged_by_what_was_taught(
    blobs: Blobs, embedder: Embedder, talks: list[e.ParagraphsEmbedded]
) -> None:
    track = await tracker(blobs, embedder)
    before = agents_of(await handled(track, talks[:3]))
    taught = before | agents_of(await handled(track, [request(blobs, *NOT_THE_TEAM)], 3))
    (later,) = [agents_of([each]) for each in await handled(track, talks[3:], 4) if agents_of([each])]
    assert later[TEAM] == pytest.approx(taught[e.paragraph_id("talk-2", "t", 1)], abs=1e-6)


async def test_without_judgements_all_is_as_at_the_beginning(
    blobs: Blobs, embedder: Embedder, talks: list[e.ParagraphsEmbedded]
) -> None:
    track = await tracker(blobs, embedder)
    before = agents_of(await handled(track, talks))
    words = track._concepts._observer.words() if track._concepts else {}
    await handled(track, [request(blobs, *NOT_THE_TEAM)], TALKS)
    outputs = await handled(track, [request(blobs, minute=1)], TALKS + 1)
    assert before | agents_of(outputs) == before
    assert track._concepts is not None
    assert track._concepts._observer.words() == words


async def test_half_a_weight_moves_a_topic_less(
    blobs: Blobs, embedder: Embedder, talks: list[e.ParagraphsEmbedded]
) -> None:
    track = await tracker(blobs, embedder)
    before = agents_of(await handled(track, talks))
    half = [(video_id, position, about, 0.5) for video_id, position, about, _ in NOT_THE_TEAM]
    by_a_model = before | agents_of(await handled(track, [request(blobs, *half)], TALKS))
    by_people = by_a_model | agents_of(
        await handled(track, [request(blobs, *NOT_THE_TEAM, minute=1)], TALKS + 1)
    )
    assert by_people[TEAM] + 0.02 < by_a_model[TEAM] < before[TEAM] - 0.02


async def test_disputed_and_foreign_judgements_change_nothing(
    blobs: Blobs, embedder: Embedder, talks: list[e.ParagraphsEmbedded]
) -> None:
    track = await tracker(blobs, embedder)
    await handled(track, talks)
    disputed = [(video_id, position, about, 0.0) for video_id, position, about, _ in NOT_THE_TEAM]
    elsewhere = [("talk-9", 0, False, 1.0), ("talk-0", 17, False, 1.0)]
    outputs = await handled(track, [request(blobs, *disputed, *elsewhere)], TALKS)
    assert agents_of(outputs) == {}


async def test_a_killed_tracker_teaches_the_same(
    blobs: Blobs, embedder: Embedder, talks: list[e.ParagraphsEmbedded]
) -> None:
    track = await tracker(blobs, embedder)
    await handled(track, talks)
    taught = request(blobs, *NOT_THE_TEAM)
    place = Position("log", "paragraphs.embedded", 0, TALKS)
    killed = await track.handle(taught, place)  # … and never committed
    again = await tracker(blobs, embedder)
    assert await again.handle(taught, place) == killed
    await again.commit()
    third = await tracker(blobs, embedder)
    assert await third.handle(taught, place) == killed, "from the ledger"
    assert third._concepts is not None
    assert again._concepts is not None
    assert third._concepts.judge.version == again._concepts.judge.version
    arrays, restored = again._concepts.to_arrays(), third._concepts.to_arrays()
    assert arrays.keys() == restored.keys()
    assert all(np.array_equal(arrays[name], restored[name]) for name in arrays)


async def test_a_model_without_concepts_cannot_be_taught(
    blobs: Blobs, embedder: Embedder, talks: list[e.ParagraphsEmbedded]
) -> None:
    track = await tracker(blobs, embedder)
    await handled(track, talks[:1])
    track._concepts = None  # as an older version's checkpoint is loaded
    with pytest.raises(DataError, match="groundswell rebuild"):
        await track.handle(request(blobs), Position("log", "paragraphs.embedded", 0, 1))


@pytest.fixture
def study(chdb_home: Path) -> Warehouse:
    with Warehouse(Settings(home=chdb_home, study=f"taught_{next(_NUMBERS)}")) as warehouse:
        warehouse.migrate()
        write(warehouse, a_taught_study(ABOUT))
        yield warehouse  # type: ignore[misc]


_NUMBERS = iter(range(1000))


def teacher(study: Warehouse, blobs: Blobs, name: str, deliver: Deliver | None = None) -> ConceptTeacher:
    clock = iter(NOON + timedelta(seconds=second) for second in range(1, 100))
    return ConceptTeacher(
        blobs,
        asking(study),
        deliver or writing(study),
        lambda: next(clock),
        name,
        pause=lambda _: None,
        patience_s=0.5,
    )


def test_the_most_doubtful_paragraph_comes_first(study: Warehouse, blobs: Blobs) -> None:
    write_texts(study, SAID)
    rows = VIEWS["doubtful"](study)
    assert [(row["topic_id"], row["position"]) for row in rows] == [(AGENTS, 0), (AGENTS, 1), (1, 0)]
    assert rows[0]["text"] == SAID[0]
    assert [row["topic_id"] for row in VIEWS["doubtful"](study, topic_id=1)] == [1]
    teacher(study, blobs, "ann").judge_paragraph("a", 0, AGENTS, "about")
    assert [(row["topic_id"], row["position"]) for row in VIEWS["doubtful"](study, reviewer="ann")] == [
        (AGENTS, 1),
        (1, 0),
    ]
    assert len(VIEWS["doubtful"](study, reviewer="bob")) == 3, "bob is blind to what ann said"


def test_a_judgement_is_replaced_and_withdrawn(study: Warehouse, blobs: Blobs) -> None:
    write_texts(study, SAID)
    ann = teacher(study, blobs, "ann")
    ann.judge_paragraph("a", 0, AGENTS, "about", "tools")
    ann.judge_paragraph("a", 0, AGENTS, "not about", "a team")
    (row,) = VIEWS["concept_judgements"](study)
    assert (row["concept"], row["verdict"], row["note"]) == ("agents", "not about", "a team")
    ann.judge_paragraph("a", 0, AGENTS, "withdrawn")
    assert VIEWS["concept_judgements"](study) == []
    with pytest.raises(BadInput, match="ann has not judged"):
        ann.judge_paragraph("a", 0, AGENTS, "withdrawn")


def test_what_cannot_be_judged_is_refused_in_plain_words(study: Warehouse, blobs: Blobs) -> None:
    write_texts(study, SAID)
    ann = teacher(study, blobs, "ann")
    with pytest.raises(BadInput, match="topic 21 was born from the talks"):
        ann.judge_paragraph("a", 2, 21, "about")
    with pytest.raises(BadInput, match="there is no paragraph 3 of the talk 'a'"):
        ann.judge_paragraph("a", 3, AGENTS, "about")
    with pytest.raises(BadInput, match="there is no topic 99"):
        ann.judge_paragraph("a", 0, 99, "about")
    assert ConceptJudgements(blobs).events() == []


def test_an_unsent_judgement_is_stored_at_the_next_start(study: Warehouse, blobs: Blobs) -> None:
    write_texts(study, SAID)

    def refuse(_: object) -> None:
        raise Unavailable("cannot reach Kafka", "start it")

    with pytest.raises(Unavailable, match="the judgement is kept"):
        teacher(study, blobs, "ann", refuse).judge_paragraph("a", 0, AGENTS, "about")
    assert VIEWS["concept_judgements"](study) == []
    Store(study, blobs)._catch_up()
    assert [row["reviewer"] for row in VIEWS["concept_judgements"](study)] == ["ann"]
    assert missing.concept_judgements(ConceptJudgements(blobs), study) == []


def test_reviewers_who_differ_are_not_counted(study: Warehouse, blobs: Blobs) -> None:
    write_texts(study, SAID)
    teacher(study, blobs, "ann").judge_paragraph("a", 0, AGENTS, "about")
    teacher(study, blobs, "bob").judge_paragraph("a", 0, AGENTS, "not about")
    teacher(study, blobs, "bob").judge_paragraph("a", 1, AGENTS, "about")
    counted = counted_judgements(ConceptJudgements(blobs).standing())
    assert sorted((each.about, each.weight) for each in counted) == [(True, 0.0), (True, 1.0)]
    sent: list[e.Event] = []
    event, judgements = teacher(study, blobs, "ann").request(sent.extend)
    assert (sent, judgements) == ([event], 2)
    assert COUNTED.validate_json(blobs.read(event.judgements)) == counted


def test_clusters_of_an_older_model_cannot_be_taught(study: Warehouse, blobs: Blobs) -> None:
    write(study, [assigned(1, e.Video(video_id="b", published_at=NOON), AGENTS)])
    sent: list[e.Event] = []
    with pytest.raises(DataError, match="counted as clusters"):
        teacher(study, blobs, "ann").request(sent.extend)
    assert sent == []


def test_what_was_judged_again_counts_instead(study: Warehouse) -> None:
    write_texts(study, SAID)
    video = e.Video(video_id="a", title="On agents", published_at=NOON)
    counts = {row["topic_id"]: row["paragraphs"] for row in VIEWS["topics"](study)}
    assert counts == {1: 1, AGENTS: 2, 21: 1}
    again = e.ConceptsRejudged(
        video=video,
        model_version=MODEL,
        sequence=2,
        judge="j2",
        paragraphs=(
            e.RejudgedParagraph(paragraph_id=e.paragraph_id("a", TRANSCRIPT, 0), concepts=()),
            e.RejudgedParagraph(
                paragraph_id=e.paragraph_id("a", TRANSCRIPT, 2),
                concepts=(e.ConceptMembership(topic_id=AGENTS, probability=0.6),),
            ),
        ),
    )
    write(study, [again, *a_taught_study(ABOUT), again])
    counts = {row["topic_id"]: row["paragraphs"] for row in VIEWS["topics"](study)}
    assert counts == {1: 0, AGENTS: 2, 21: 1}
    paragraphs = VIEWS["paragraphs"](study, video_id="a")
    assert [row["name"] for row in paragraphs] == [None, "Agents", "Agents"]
    assert [[each["name"] for each in row["further"]] for row in paragraphs] == [[], [], ["bees"]]
