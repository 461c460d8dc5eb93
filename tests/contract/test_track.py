"""The tracker's promise: state and outputs depend on the log alone, wherever it was killed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import platformdirs
import pytest

from agents.consumer.consumer import Position
from agents.topics.checkpoints import CHECKPOINTS, KEPT
from agents.topics.track import Track
from models.bundled_models import prepare
from models.codebook.codebook import load
from models.embedding.embedder import Embedder
from models.errors import BadInput
from models.topics import Batch, TopicModel, TopicSettings
from models.transcripts.paragraphs import Paragraphs
from streams.errors import DataError, Fatal, Misconfigured, Unavailable
from streams.events import (
    ConsolidationRequested,
    EpochBegun,
    Event,
    ParagraphsAssigned,
    ParagraphsEmbedded,
    TopicBorn,
    TopicEvent,
    TopicsConsolidated,
)
from streams.state.blobs import Blobs
from streams.state.epochs import Epochs
from tests.embedded_talks import embedded, split_talks

COUNT = 6


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(
        prepare(platformdirs.user_cache_path("groundswell") / "models").embedding, "cpu", 1, max_tokens=300
    )


@pytest.fixture(scope="module")
def talks(embedder: Embedder) -> list[tuple[str, Paragraphs]]:
    return split_talks(embedder, COUNT)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs"))


@pytest.fixture
def events(blobs: Blobs, talks: list[tuple[str, Paragraphs]]) -> list[ParagraphsEmbedded]:
    return embedded(blobs, talks)


def at(offset: int, log_id: str = "log") -> Position:
    return Position(log_id, "paragraphs.embedded", 0, offset)


def unstarted(
    blobs: Blobs, embedder: Embedder, told_in: str = "log", behind: Callable[[], int] = lambda: 0
) -> Track:
    codebook = load("llm-in-production")
    return Track(blobs, codebook, embedder, TopicSettings(), told_in=told_in, behind=behind)


async def tracker(blobs: Blobs, embedder: Embedder) -> Track:
    made = unstarted(blobs, embedder)
    seeded = await made.start()
    assert [type(event) for event in seeded] == [EpochBegun] + [TopicBorn] * 20
    return made


async def learn(track: Track, events: Sequence[Event], first: int = 0, log_id: str = "log") -> list[Event]:
    outputs: list[Event] = []
    for number, event in enumerate(events, first):
        outputs += await track.handle(event, at(number, log_id))
    return outputs


async def test_a_restart_continues_as_if_nothing_had_been(
    blobs: Blobs, tmp_path: Path, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    whole = await tracker(blobs, embedder)
    expected = await learn(whole, events)
    assert sum(isinstance(output, ParagraphsAssigned) for output in expected) == COUNT

    # Another place: one talk at a time, restarted after each; also killed before settling each.
    other = Blobs(str(tmp_path / "other"))
    for number in range(COUNT):
        other.put(f"paragraphs/{number}", blobs.get(f"paragraphs/{number}"))
    outputs: list[Event] = []
    for number, event in enumerate(events):
        killed = await tracker(other, embedder)
        await killed.handle(event, at(number))  # … and never settled
        track = await tracker(other, embedder)
        outputs += await track.handle(event, at(number))
        await track.commit()
    assert outputs == expected
    assert len(list(other.keys(CHECKPOINTS))) == KEPT


async def test_an_untouched_study_restarts_without_embedding_model(blobs: Blobs, embedder: Embedder) -> None:
    again = Embedder(embedder.tokenizer.parent, "cpu", 1, max_tokens=300)
    first = await tracker(blobs, embedder)
    second = await tracker(blobs, again)
    assert again._model is None
    assert second._model.to_snapshot().arrays["anchors"] == pytest.approx(
        first._model.to_snapshot().arrays["anchors"]
    )
    for kept in list(blobs.keys("model/seeds")):
        blobs.put(kept, blobs.get(kept)[:100])  # damaged: embedded anew
    await tracker(blobs, again)
    assert again._model is not None


async def test_learned_talks_are_answered_from_the_ledger_in_any_log(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    track = await tracker(blobs, embedder)
    early, late = await learn(track, events[:3]), await learn(track, events[3:], 3)
    assert await learn(track, events) == early + late  # redelivered before it was settled
    await track.commit()
    restarted = await tracker(blobs, embedder)
    assert await learn(restarted, events) == early + late  # redelivered after it
    # The broker was lost; its successor's log starts at 0, with what was unfinished.
    assert await learn(restarted, events[3:], 0, "new log") == late
    await restarted.commit()
    with pytest.raises(Fatal, match="jumps from offset 3 to 5"):
        await (await tracker(blobs, embedder)).handle(events[0], at(5, "new log"))


async def test_what_may_be_unread_is_repeated_only_in_another_log(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    def unavailable() -> int:
        raise Unavailable("no broker", "wait")

    waiting = [3]
    track = unstarted(blobs, embedder, behind=lambda: waiting[0])
    beginning = [*await track.start()]
    said = await learn(track, events[:2])
    assert any(isinstance(event, TopicEvent) for event in said)
    await track.commit()  # … and killed before it was sent, or before anybody read it
    assert await unstarted(blobs, embedder).start() == beginning, (
        "the same log has it still, or sends the talks"
    )
    assert await unstarted(blobs, embedder, "new log").start() == beginning + said

    track.on_outputs_sent()
    await track.tick()
    more = await learn(track, events[2:4], 2)
    await track.commit()
    assert await unstarted(blobs, embedder, "new log").start() == beginning + said + more, (
        "somebody was behind"
    )

    waiting[0] = 0
    await track.tick()  # of what is settled and not sent, nobody can have had anything
    last = await learn(track, events[4:5], 4)
    await track.commit()
    track.on_outputs_sent()
    afresh = unstarted(blobs, embedder, "new log", unavailable)
    assert await afresh.start() == beginning + more + last
    await afresh.tick()
    afresh_said = await learn(afresh, events[5:], 0, "new log")
    await afresh.commit()  # the new log has all of it by now, and so has a checkpoint
    assert await unstarted(blobs, embedder, "new log").start() == beginning
    again = await unstarted(blobs, embedder, "third log").start()
    assert again == beginning + more + last + afresh_said, "nobody could say who has had it"


async def test_a_dead_letter_moves_the_position_and_a_gap_is_fatal(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    track = await tracker(blobs, embedder)
    await track.handle(events[0], at(0))
    undated = events[1].video.model_copy(update={"published_at": None})
    with pytest.raises(DataError, match="no publication date"):
        await track.handle(events[1].model_copy(update={"video": undated}), at(1))
    track.on_dead_letter(at(1))
    await track.commit()
    track = await tracker(blobs, embedder)
    await track.handle(events[2], at(2))
    track.on_dead_letter(at(3))  # not even an event
    await track.commit()
    track = await tracker(blobs, embedder)
    with pytest.raises(Fatal, match="jumps from offset 4 to 6"):
        await track.handle(events[3], at(6))
    await track.handle(events[3], at(4))


async def test_of_two_trackers_only_one_writes(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    paused = await tracker(blobs, embedder)
    await paused.handle(events[0], at(0))
    active = await tracker(blobs, embedder)
    for number in range(KEPT + 2):  # enough for the first numbers to be deleted again
        await active.handle(events[number], at(number))
        await active.commit()
    with pytest.raises(Fatal, match="another track worker"):
        await paused.commit()


async def test_a_stand_by_continues_from_the_newest_checkpoint(
    blobs: Blobs, tmp_path: Path, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    expected = await learn(await tracker(blobs, embedder), events)
    shared = Blobs(str(tmp_path / "shared"))
    for number in range(COUNT):
        shared.put(f"paragraphs/{number}", blobs.get(f"paragraphs/{number}"))
    one, other = await tracker(shared, embedder), await tracker(shared, embedder)
    outputs = await learn(one, events[:2])
    await one.commit()
    # The other one takes over: the broker sends what follows, or again what was not acknowledged.
    outputs += await learn(other, events[2:4], 2)
    await other.commit()
    assert await learn(one, events[3:4], 3) == await learn(other, events[3:4], 3)
    outputs += await learn(one, events[4:], 4)
    await one.commit()
    assert outputs == expected
    with pytest.raises(Fatal, match=f"jumps from offset {COUNT} to {COUNT + 2}"):  # of this one nobody knows
        await other.handle(events[0], at(COUNT + 2))


async def test_a_consolidation_request_happens_once_and_in_order(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    request = ConsolidationRequested(on=date(2024, 6, 1), requested_at=datetime(2024, 6, 1, tzinfo=UTC))
    log: list[Event] = [*events[:4], request, *events[4:]]
    track = await tracker(blobs, embedder)
    told = await learn(track, log)
    (consolidated,) = [event for event in told if isinstance(event, TopicsConsolidated)]
    assert (consolidated.sequence, consolidated.day) == (5, request.on)
    steps = [event.sequence for event in told if isinstance(event, ParagraphsAssigned)]
    assert steps == [1, 2, 3, 4, 6, 7]
    assert await learn(track, log) == told  # redelivered before it was settled
    await track.commit()
    assert await learn(await tracker(blobs, embedder), log) == told  # and after a restart


async def test_a_model_that_cannot_be_continued_names_the_cure(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    track = await tracker(blobs, embedder)
    await learn(track, events[:1])
    await track.commit()
    other = replace(TopicSettings(), max_topics=TopicSettings().max_topics - 1)
    with pytest.raises(Misconfigured, match="cannot be continued") as refused:
        await Track(blobs, load("llm-in-production"), embedder, other).start()
    assert "groundswell rebuild" in refused.value.cure


async def test_no_older_checkpoint_is_taken_for_the_newest(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    """Otherwise the ids of later talks would be given to other talks."""
    track = await tracker(blobs, embedder)
    for offset, event in enumerate(events[:2]):
        await learn(track, [event], offset)
        await track.commit()
    older, newest = blobs.keys("model/checkpoints")
    whole = blobs.get(newest)
    blobs.put(newest, whole[: len(whole) // 2])
    with pytest.raises(
        Misconfigured, match="the newest checkpoint of the topic model cannot be read"
    ) as refused:
        await tracker(blobs, embedder)
    assert newest in refused.value.cure
    blobs.delete(newest)
    with pytest.raises(
        Misconfigured, match="checkpoint 2 of the topic model is missing, and 1 is the newest"
    ):
        await tracker(blobs, embedder)
    blobs.delete(older)
    with pytest.raises(Misconfigured, match="checkpoint 2 of the topic model is missing, and none is"):
        await tracker(blobs, embedder)
    blobs.put(newest, whole)
    assert await learn(await tracker(blobs, embedder), events[2:3], 2)


async def test_a_new_epoch_learns_under_its_own_version_beside_the_old(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    old = await tracker(blobs, embedder)
    before = await learn(old, events)
    await old.commit()
    kept = {key: blobs.get(key) for key in blobs.keys("model/checkpoints")}
    ledgers = {key: blobs.get(key) for key in blobs.keys("assigned")}
    await old.handle(events[0], at(6))

    epoch = Epochs(blobs).begin(datetime(2025, 1, 1, tzinfo=UTC))
    with pytest.raises(Fatal, match="a new epoch"):
        await old.commit()  # it was at work meanwhile: what it took comes again, to the next one

    new = await tracker(blobs, embedder)
    (begun, *_) = await new.start()
    assert isinstance(begun, EpochBegun)
    assert (epoch.number, begun.epoch) == (1, 1)
    after = await learn(new, events, 6)  # the same log, wherever it is now
    await new.commit()
    first, second = before[0], after[0]
    assert isinstance(first, ParagraphsAssigned) and isinstance(second, ParagraphsAssigned)
    assert begun.model_version == second.model_version != first.model_version
    assert second.assignments == first.assignments
    assert {key: blobs.get(key) for key in kept} == kept
    assert {key: blobs.get(key) for key in ledgers} == ledgers
    assert await learn(await tracker(blobs, embedder), events, 6) == after


async def test_seeded_topics_are_sent_again_as_the_model_began(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    """Their words change later, but their words at birth are a fact."""
    track = Track(blobs, load("llm-in-production"), embedder, TopicSettings())
    told = await track.start()
    await learn(track, events)
    await track.commit()
    again = await Track(blobs, load("llm-in-production"), embedder, TopicSettings()).start()
    assert again == told


@pytest.mark.long
@pytest.mark.parametrize(
    "known",
    [
        {"channel_id": "UC1", "channel": "Night Deploys", "show": "Nights"},
        {"channel": "Night Deploys", "show": "Nights"},
        {"show": "Nights"},
        {},
    ],
    ids=["channel id", "channel", "show", "nothing"],
)
async def test_the_model_is_told_source_day_and_seconds(
    blobs: Blobs,
    embedder: Embedder,
    events: list[ParagraphsEmbedded],
    monkeypatch: pytest.MonkeyPatch,
    known: dict[str, str],
) -> None:
    told: list[Batch] = []
    learn = TopicModel.learn
    monkeypatch.setattr(TopicModel, "learn", lambda model, batch: told.append(batch) or learn(model, batch))
    video = events[0].video.model_copy(
        update={**known, "published_at": datetime.fromisoformat("2024-02-01T00:30:00+03:00")}
    )
    await (await tracker(blobs, embedder)).handle(events[0].model_copy(update={"video": video}), at(0))
    (batch,) = told
    spoken = Paragraphs.load(blobs.read(events[0].paragraphs)).paragraphs
    assert (batch.source, batch.published_on) == (next(iter(known.values()), ""), date(2024, 1, 31))
    assert batch.starts == tuple(paragraph.start for paragraph in spoken)


async def test_a_damaged_artefact_is_the_talks_fault(
    blobs: Blobs, embedder: Embedder, events: list[ParagraphsEmbedded]
) -> None:
    track = await tracker(blobs, embedder)
    broken = events[0].model_copy(update={"paragraphs": blobs.put("paragraphs/0", b"not a zip")})
    with pytest.raises(BadInput, match="not a paragraphs artefact"):
        await track.handle(broken, at(0))
