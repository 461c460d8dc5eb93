"""A talk with a caption draft and a later transcript counts once, by its transcript."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from event_factories import BLOB, NOON, assigned, shares, topic, video

from agents.queries.wording import transcripts
from streams import events as e
from streams.state.epochs import Epoch
from streams.store import writer
from streams.store.operations import relearning
from streams.store.queries import prevalence
from streams.store.queries.corpus import corpus, provenance
from streams.store.talks import talk_queries, talks
from streams.store.warehouse import Warehouse

DRAFT, HEARD = "draft-captions-1-00828e789e9d", "faster-whisper-1.2-base--d-9ece8fe8"
Fact = list[tuple[str, writer.Columns]]
BOOK = [topic(1, "Architecture"), topic(2, "Architecture"), topic(3, "Evaluation")]


def version(video_id: str, version: str, minutes: float, sequence: int, *topics: int) -> Iterator[Fact]:
    """Yield the facts of one transcript: one paragraph of `minutes` for each of the topics."""
    of = video(video_id)
    yield list(
        writer.rows_of(
            e.TranscriptReady(
                video=of,
                transcript=BLOB,
                transcript_version=version,
                language="en",
                duration_s=60.0 * minutes * len(topics),
                words=9,
                speakers=1,
            )
        )
    )
    yield [
        writer.paragraph_row(
            video_id,
            version,
            position,
            paragraph_id=e.paragraph_id(video_id, version, position),
            start_s=60.0 * minutes * position,
            end_s=60.0 * minutes * (position + 1),
            text=f"{video_id} in {version}",
            speakers=["Ann"],
            tokens=7,
        )
        for position in range(len(topics))
    ]
    learned = assigned(0, of, *topics, sequence=sequence)
    paragraphs = tuple(
        paragraph.model_copy(update={"paragraph_id": e.paragraph_id(video_id, version, position)})
        for position, paragraph in enumerate(learned.assignments)
    )
    given = {"transcript_version": version, "assignments": paragraphs}
    yield list(writer.rows_of(learned.model_copy(update=given)))


def tell(warehouse: Warehouse, *facts: e.Event | Fact) -> None:
    """Write facts, each as a separate block."""
    for fact in facts:
        writer.write(warehouse, fact if isinstance(fact, list) else writer.rows_of(fact))


def counted(warehouse: Warehouse) -> dict[int, tuple[int, float]]:
    """Return {topic: (videos, minutes)} of the topics with videos."""
    rows = prevalence.topics(warehouse)
    return {row["topic_id"]: (row["videos"], row["minutes"]) for row in rows if row["videos"]}


def state_of(warehouse: Warehouse, video_id: str) -> str:
    return str((talks.talk(warehouse, video_id) or {})["state"])


@pytest.mark.long
def test_a_draft_counts_until_the_recording_is_transcribed(either: Warehouse) -> None:
    """Tested for every order in which the facts of both transcripts can arrive."""
    tell(either, *BOOK)
    facts = [*version("a", DRAFT, 8.0, 1, 1, 2), *version("a", HEARD, 4.0, 2, 3)]
    orders = list(itertools.permutations(range(len(facts))))
    names = [f"v{number}" for number in range(len(orders))]
    both = [[*version(name, DRAFT, 8.0, 1, 1, 2), *version(name, HEARD, 4.0, 2, 3)] for name in names]
    tell(either, [row for name in names for row in writer.rows_of(e.VideoAccepted(video=video(name)))])
    for step in range(len(facts)):  # a block each, with one fact of every talk
        tell(either, [row for order, of in zip(orders, both, strict=True) for row in of[order[step]]])
    assert counted(either) == {3: (len(orders), 4.0 * len(orders))}
    assert {row["of_videos"] for row in prevalence.months(either)} == {len(orders)}

    tell(either, e.VideoAccepted(video=video("a")), *facts[:3])
    assert counted(either) == {3: (len(orders), 4.0 * len(orders)), 1: (1, 8.0), 2: (1, 8.0)}
    assert transcripts(provenance(either)["transcripts"]) == (
        f"faster-whisper-1.2-base--d ({len(orders)} talks), draft-captions-1 (1 talk)"
    )
    (draft,) = (talks.talk(either, "a") or {})["transcripts"]
    assert draft["draft"] and draft["counts"]
    assert corpus(either)["kept"] == len(orders) + 1


def test_a_draft_is_no_step_on_the_path_of_its_talk(study: Warehouse) -> None:
    """The talk's recording is still missing, so it must be sent again after a restart that loses the log."""
    of = video("a")
    tell(study, *BOOK, e.VideoAccepted(video=of))
    tell(study, e.AudioStored(video=of, captions=BLOB, draft=True), *version("a", DRAFT, 8.0, 1, 1))
    assert counted(study) == {1: (1, 8.0)}
    assert state_of(study, "a") == "accepted"
    assert "a" not in talk_queries.finished_videos(study)
    tell(study, e.AudioStored(video=of, audio=BLOB))
    assert state_of(study, "a") == "fetched"
    tell(study, *version("a", HEARD, 8.0, 2, 1))
    assert state_of(study, "a") == "assigned"
    assert "a" in talk_queries.finished_videos(study)


@pytest.mark.long
@pytest.mark.parametrize("late", [False, True])
def test_a_draft_of_a_rejected_talk_counts_nowhere(either: Warehouse, late: bool) -> None:
    """The recording is in another language, so the draft counts no longer, whichever event arrives first."""
    of = video("a")
    rejected = e.VideoRejected(video=of, rule="language", reason="it is spoken in 'de', not in en")
    draft = list(version("a", DRAFT, 8.0, 1, 1))
    tell(either, *BOOK, e.VideoAccepted(video=of), *version("b", DRAFT, 8.0, 2, 2))
    tell(either, *([rejected, *draft] if late else [*draft, rejected]))
    assert counted(either) == {2: (1, 8.0)}
    assert corpus(either)["rejections"] == {"language": 1}
    tell(either, draft[-1])  # an old message that comes again
    assert counted(either) == {2: (1, 8.0)}
    assert shares(prevalence.themes(either), "theme") == {"Architecture": (1, 1)}
    # Reviewers let it in after all: what was heard counts.
    tell(either, *version("a", HEARD, 4.0, 3, 3))
    assert counted(either) == {2: (1, 8.0), 3: (1, 4.0)}


def test_a_new_model_learns_drafts_only_where_nothing_is_better(study: Warehouse) -> None:
    tell(study, *BOOK, *(e.VideoAccepted(video=video(each)) for each in "ab"))
    tell(study, *version("a", DRAFT, 8.0, 1, 1), *version("a", HEARD, 8.0, 2, 1))
    tell(study, *version("b", DRAFT, 8.0, 3, 1))
    rows = relearning.unlearned(study, Epoch(number=1, begun_at=NOON))
    assert [(row["video_id"], row["transcript_version"]) for row in rows] == [("a", HEARD), ("b", DRAFT)]
