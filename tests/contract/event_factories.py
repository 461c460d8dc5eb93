"""Factories of events for these tests, and the database's content after writing them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from streams import events as e
from streams.store import writer
from streams.store.database_version import holdings
from streams.store.queries import alerts, genealogy, prevalence
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden" / "events").glob("*.json"))
MODEL, TRANSCRIPT = "model-1", "whisper-1"
NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
BLOB = e.Blob(key="audio/a.ogg", sha256="0" * 64, size=7)
NEWBORN = 21
numbers = itertools.count()
About = tuple[int | None, dict[int, float]]
"""A paragraph's cluster, and its concepts with their probabilities."""
TEXTS = ("we chunk documents", "an index of servers", "nothing much")


def video(video_id: str, published_at: datetime = NOON, **about: Any) -> e.Video:
    return e.Video(video_id=video_id, title=f"Talk {video_id}", published_at=published_at, **about)


def seen(of: e.Video, source_id: str = "channel-1", rank: int = 1, minutes: int = 0) -> e.VideoSeen:
    return e.VideoSeen(
        video=of,
        sighting=e.Sighting(
            source_id=source_id, kind="channel", rank=rank, seen_at=NOON + timedelta(minutes=minutes)
        ),
    )


def assigned(
    index: int, of: e.Video, *topic_ids: int | None, sequence: int | None = None
) -> e.ParagraphsAssigned:
    """Return the assignments of a talk whose paragraphs have these topics, in this order."""
    return e.ParagraphsAssigned(
        video=of,
        video_index=index,
        model_version=MODEL,
        transcript_version=TRANSCRIPT,
        sequence=sequence or index + 1,
        assignments=tuple(
            e.AssignedParagraph(
                paragraph_id=e.paragraph_id(of.video_id, TRANSCRIPT, position),
                topic_id=topic_id,
                probability=0.5,
            )
            for position, topic_id in enumerate(topic_ids)
        ),
    )


def judged(
    index: int,
    of: e.Video,
    *paragraphs: About,
    sequence: int | None = None,
    transcript: str = TRANSCRIPT,
) -> e.ParagraphsAssigned:
    """Return the assignments of a talk whose paragraphs have these clusters and concepts."""
    return e.ParagraphsAssigned(
        video=of,
        video_index=index,
        model_version=MODEL,
        transcript_version=transcript,
        sequence=sequence or index + 1,
        judge="judge-1",
        assignments=tuple(
            e.AssignedParagraph(
                paragraph_id=e.paragraph_id(of.video_id, transcript, position),
                topic_id=cluster,
                probability=0.5,
                concepts=tuple(
                    e.ConceptMembership(topic_id=topic_id, probability=probability)
                    for topic_id, probability in concepts.items()
                ),
            )
            for position, (cluster, concepts) in enumerate(paragraphs)
        ),
    )


def rows_of_paragraphs(
    video_id: str, texts: Sequence[str] = TEXTS, transcript: str = TRANSCRIPT
) -> list[tuple[str, Any]]:
    return [
        writer.paragraph_row(
            video_id,
            transcript,
            position,
            paragraph_id=e.paragraph_id(video_id, transcript, position),
            start_s=60.0 * position,
            end_s=60.0 * position + 60,
            text=text,
            speakers=["Ann"],
            tokens=3,
        )
        for position, text in enumerate(texts)
    ]


def topic(topic_id: int, theme: str | None = None) -> e.TopicBorn:
    return e.TopicBorn(
        model_version=MODEL,
        topic_id=topic_id,
        sequence=0,
        label=f"topic {topic_id}",
        words=(("word", 0.5),),
        origin="seeded",
        theme=theme,
        codebook_key=f"key-{topic_id}",
    )


def newborn(sequence: int, *founders: tuple[int, str, int, int | None]) -> e.TopicBorn:
    """Return the birth of a topic; `founders`: (video's index, video, position, topic from now on)."""
    return e.TopicBorn(
        model_version=MODEL,
        topic_id=NEWBORN,
        sequence=sequence,
        label="servers",
        words=(("servers", 0.5),),
        origin="born",
        video_ids=tuple(video_id for _, video_id, _, _ in founders),
        founders=tuple(
            e.Founder(
                paragraph_id=e.paragraph_id(video_id, TRANSCRIPT, position),
                video_id=video_id,
                video_index=index,
                month=date(2025, 3, 1),
                topic_id=topic_id,
                probability=0.4,
            )
            for index, video_id, position, topic_id in founders
        ),
        emerged_at=NOON,
    )


def merged(topic_id: int, into: int, sequence: int) -> e.TopicMerged:
    return e.TopicMerged(
        model_version=MODEL, topic_id=topic_id, sequence=sequence, label="", into=into, day=NOON.date()
    )


def dormant(topic_id: int, sequence: int, *, asleep: bool) -> e.TopicDormant:
    return e.TopicDormant(
        model_version=MODEL, topic_id=topic_id, sequence=sequence, label="", asleep=asleep, day=NOON.date()
    )


def consolidated(sequence: int, *, accepted: bool) -> e.TopicsConsolidated:
    return e.TopicsConsolidated(
        model_version=MODEL,
        sequence=sequence,
        day=NOON.date(),
        accepted=accepted,
        reason="as good as before" if accepted else "too many paragraphs would move",
        survival=0.97 if accepted else 0.7,
        topics_before=5,
        topics_after=4,
    )


def emerged(sequence: int, subject: str, topic_id: int | None, *video_ids: str) -> e.SubjectEmerged:
    """Return the emergence of a subject in these talks, with a quote from each."""
    return e.SubjectEmerged(
        model_version=MODEL,
        sequence=sequence,
        day=NOON.date(),
        subject=subject,
        topic_id=topic_id,
        video_ids=video_ids,
        reason=f"{len(video_ids)} of the last 50 talks speak of it",
        evidence=e.Evidence(
            terms=(subject.lower(), "server"),
            channel="term",
            sources=2,
            recent=len(video_ids),
            recent_of=50,
            earlier=1,
            earlier_of=200,
            log10_p=-8.25,
            first_on=date(2025, 3, 1),
            latest_on=NOON.date(),
            quotes=tuple(
                e.Quote(
                    paragraph_id=e.paragraph_id(video_id, TRANSCRIPT, 0),
                    video_id=video_id,
                    source="channel-1",
                    published_on=NOON.date(),
                    start=12.5,
                    text=f"'; we put {subject} in front of it",
                )
                for video_id in video_ids
            ),
        ),
        emerged_at=NOON,
    )


def labelled(topic_id: int, sequence: int, label: str) -> e.TopicLabelled:
    return e.TopicLabelled(
        model_version=MODEL, topic_id=topic_id, sequence=sequence, label=label, by="a-model"
    )


def drifted_in_words(topic_id: int, sequence: int) -> e.TopicDrifted:
    return e.TopicDrifted(
        model_version=MODEL,
        topic_id=topic_id,
        sequence=sequence,
        label="",
        share_before=0.0,
        share_after=0.0,
        drifted_at=NOON,
        what="words",
        moved=0.31,
        words_before=("gpt-3",),
        words_after=("chatgpt", "agents"),
        since=date(2025, 2, 7),
        videos_before=40,
        videos_after=12,
    )


def dead_letter(offset: int, video_id: str | None) -> e.DeadLettered:
    return e.DeadLettered(
        agent="fetch",
        cause="it was removed",
        cure="drop it",
        log_id="log-1",
        topic="videos.accepted",
        partition=0,
        offset=offset,
        video_id=video_id,
        payload="e30=",
        failed_at=NOON + timedelta(minutes=offset),
    )


def settled(letter: e.DeadLettered, action: Any) -> e.DeadLetterSettled:
    return e.DeadLetterSettled(letter_id=letter.event_id, action=action, settled_at=NOON)


def path_of(
    index: int, of: e.Video, *topic_ids: int | None, accepted: e.Video | None = None
) -> list[e.Event]:
    """Return all events of a talk on its way through the agents."""
    of_complete = accepted or of
    return [
        seen(of),
        e.VideoAccepted(video=of_complete),
        e.AudioStored(video=of_complete, audio=BLOB),
        e.TranscriptReady(
            video=of_complete,
            transcript=BLOB,
            transcript_version=TRANSCRIPT,
            language="en",
            duration_s=61.5,
            words=99,
            speakers=2,
        ),
        e.ParagraphsEmbedded(
            video=of_complete,
            paragraphs=BLOB,
            transcript_version=TRANSCRIPT,
            embedding_model="m",
            count=len(topic_ids),
        ),
        assigned(index, of_complete, *topic_ids),
    ]


REMOVED = dead_letter(0, "e")
RAISED = e.AlertRaised(rule="new topic", model_version=MODEL, topic_id=NEWBORN, title="t", reason="r")


def delivery(state: Literal["failed", "delivered"], attempts: int, at: datetime) -> e.DeliveryRecorded:
    return e.DeliveryRecorded(
        delivery_id="to ann",
        what="alert",
        destination="ann",
        alert_ids=(RAISED.event_id,),
        title="t",
        state=state,
        attempts=attempts,
        at=at,
    )


STORY: list[e.Event] = [
    topic(1, "Architecture"),
    topic(2, "Architecture"),
    topic(3, "Evaluation"),
    # Listings know little of a video; screening completes it.
    *path_of(0, video("a"), 1, 1, 2, None, accepted=video("a", duration_s=900.0, language="en")),
    seen(video("a"), "search-1", rank=7, minutes=5),
    seen(video("a"), rank=3, minutes=9),
    *path_of(1, video("b"), 1, 3),
    *path_of(2, video("c", datetime(2025, 4, 1, tzinfo=UTC)), NEWBORN),
    newborn(3, (0, "a", 3, NEWBORN), (1, "b", 0, NEWBORN)),
    e.TopicChanged(model_version=MODEL, topic_id=1, sequence=2, label="topic 1", words=(("rag", 0.7),)),
    e.TopicChanged(model_version=MODEL, topic_id=1, sequence=3, label="topic 1", words=(("index", 0.7),)),
    e.TopicDrifted(
        model_version=MODEL, topic_id=1, sequence=3, label="topic 1", share_before=0.1, share_after=0.4
    ),
    RAISED,
    e.EpochBegun(model_version=MODEL, sequence=0, epoch=0, embedding_model="m", codebook="c"),
    topic(4),
    merged(4, 2, sequence=5),
    merged(2, 1, sequence=7),
    dormant(3, sequence=5, asleep=True),
    dormant(3, sequence=6, asleep=False),
    consolidated(7, accepted=True),
    consolidated(8, accepted=False),
    e.HealthChanged(model_version=MODEL, sequence=6, what="outliers", before=0.1, after=0.2),
    emerged(6, "MCP", NEWBORN, "a", "b"),
    drifted_in_words(3, 6),
    labelled(NEWBORN, 3, "Tool servers"),
    labelled(NEWBORN, 6, "Model Context Protocol"),
    # Screening took it for English; it is spoken in French.
    seen(video("d")),
    e.VideoAccepted(video=video("d", language="en")),
    e.AudioStored(video=video("d", language="en"), audio=BLOB),
    e.VideoRejected(
        video=video("d", language="fr", duration_s=61.5), rule="language", reason="it is spoken in 'fr'"
    ),
    seen(video("e")),
    e.VideoAccepted(video=video("e")),
    seen(video("f")),
    e.VideoParked(
        video=video("f"),
        state="in review",
        reason="two reviewers judge it",
        parked_at=datetime(2025, 5, 1, tzinfo=UTC),
        relevance=e.Relevance(score=0.4, talk_kind="tutorial", reasons=("step by step",), model="r-1"),
    ),
    e.VideoReviewed(
        video_id="f",
        reviewer="ann",
        verdict="keep",
        talk_kind="experience report",
        reviewed_at=datetime(2025, 5, 2, tzinfo=UTC),
    ),
    e.VideoFollowed(
        video=video("a").model_copy(update={"title": "renamed"}),
        change="retitled",
        was="Talk a",
        seen_at=datetime(2025, 5, 3, tzinfo=UTC),
    ),
    REMOVED,
    settled(REMOVED, "replayed"),
    dead_letter(9, None),
    e.CodebookDecided(
        revision=1,
        model_version=MODEL,
        action="assign",
        said="servers (21) belongs to Tools",
        entries=(e.CodebookEntry(topic_id=NEWBORN, theme="Tools"),),
        themes=(e.ThemeEntry(theme="Tools", description="What it is built with."),),
        author="ann",
        decided_at=NOON,
    ),
    e.TopicJudged(model_version=MODEL, topic_id=1, reviewer="ann", verdict="include", judged_at=NOON),
    e.ConceptsRejudged(
        video=video("a"),
        model_version=MODEL,
        sequence=3,
        judge="judge-2",
        paragraphs=(
            e.RejudgedParagraph(
                paragraph_id=e.paragraph_id("a", TRANSCRIPT, 0),
                concepts=(e.ConceptMembership(topic_id=2, probability=0.75),),
            ),
        ),
    ),
    e.ConceptJudged(
        video_id="a",
        paragraph_id=e.paragraph_id("a", TRANSCRIPT, 0),
        concept="agents",
        verdict="not about",
        reviewer="ann",
        judged_at=NOON,
    ),
    e.ValidationSampleDrawn(
        sample="2025-03-01T12:00:00.000",
        model_version=MODEL,
        topics=("rag", "agents"),
        population=3,
        paragraphs=(
            e.SampledParagraph(
                video_id="a",
                paragraph_id=e.paragraph_id("a", TRANSCRIPT, 0),
                weight=1.5,
                stratum="counted",
            ),
        ),
        drawn_by="ann",
        drawn_at=NOON,
    ),
    e.ParagraphCoded(
        video_id="a",
        paragraph_id=e.paragraph_id("a", TRANSCRIPT, 0),
        offered=("rag", "agents"),
        topics=("agents",),
        reviewer="ann",
        coded_at=NOON,
    ),
    e.VideoCorrected(video_id="a", what="withdrawn", reason="a repeat", author="ann", corrected_at=NOON),
    delivery("failed", 1, NOON),
    delivery("delivered", 2, NOON + timedelta(minutes=5)),
    e.AlertJudged(alert_id=RAISED.event_id, verdict="dismissed", author="ann", judged_at=NOON),
    e.AlertJudged(
        alert_id=RAISED.event_id, verdict="confirmed", author="bob", judged_at=NOON + timedelta(hours=1)
    ),
]
TABLES = (*writer.ORDER, "video_topics")


def write(warehouse: Warehouse, events: Iterable[e.Event]) -> None:
    writer.write(warehouse, (row for event in events for row in writer.rows_of(event)))


def held(warehouse: Warehouse) -> dict[str, Any]:
    """Return the rows of every table (FINAL), and the results of the views."""
    tables: dict[str, Any] = {
        table: [tuple(row.values()) for row in warehouse.rows(f"SELECT * FROM {table} FINAL ORDER BY ALL")]
        for table in TABLES
    }
    views: tuple[Callable[[Warehouse], Any], ...] = (
        *(
            prevalence.prevalence,
            prevalence.themes,
            prevalence.topics,
            prevalence.topic_months,
            prevalence.cooccurrence,
            talk_queries.status,
        ),
        *(genealogy.genealogy, genealogy.drifts, genealogy.health, alerts.emergences, alerts.alerts),
    )
    return tables | {f"view {view.__name__}": view(warehouse) for view in views}


def shares(rows: Sequence[Mapping[str, Any]], *by: str) -> dict[Any, tuple[int, int]]:
    """Return {theme or (month, theme): (videos, of_videos)}."""
    return {
        row[by[0]] if len(by) == 1 else tuple(row[name] for name in by): (row["videos"], row["of_videos"])
        for row in rows
    }


def empty(warehouse: Warehouse) -> None:
    """Delete all rows of a study; empty tables are skipped, because each of forty tables would take 5 ms."""
    for table in holdings(warehouse).keys() & set(TABLES):
        warehouse.command(f"TRUNCATE TABLE {table}")
