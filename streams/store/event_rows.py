"""Rows of events: which tables an event fills, and with what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from streams import events as e
from streams.store.video_progress import reached

NO_TOPIC = 0
Columns = dict[str, Any]
"""A row to insert: its values by column."""


def rows_of(event: e.Event) -> Iterator[tuple[str, Columns]]:  # noqa: PLR0915 - one case an event
    """Yield (table, row) for all rows of an event."""
    match event:
        case e.VideoSeen():
            yield "videos", _video(event.video, 1)
            yield "sightings", _sighting(event)
        case e.VideoAccepted():
            yield "videos", _video(event.video, 2)
            yield "screenings", _screening(event.key, "accepted", "", "")
            yield from _relevance(event.key, event.relevance, stands=2)
        case e.VideoRejected():
            # It may follow an acceptance, if a later agent rejects the video.
            yield "videos", _video(event.video, 3)
            yield "screenings", _screening(event.key, "rejected", event.rule, event.reason)
            yield from _relevance(event.key, event.relevance, stands=2)
        case e.VideoParked():
            yield "videos", _video(event.video, 1)
            waits = _columns(event, "state", "reason", "until", "attempt", "parked_at")
            yield "parkings", waits | {"video_id": event.key}
            yield from _relevance(event.key, event.relevance, stands=1)
        case e.VideoFollowed():
            yield (
                "followed",
                _columns(event, "change", "was", "seen_at")
                | {"video_id": event.key, "title": event.video.title},
            )
            if event.change == "retitled":
                yield "videos", _video(event.video, 4)
        case e.VideoReviewed():
            yield "reviews", event.model_dump(exclude={"schema_version"})
        case e.TranscriptReady():
            yield "transcripts", _transcript(event)
        case e.ParagraphsAssigned():
            yield from _assignments(event)
        case e.ConceptsRejudged():
            yield from _memberships(event, event.paragraphs)
        case e.TopicBorn():
            yield from _birth(event)
        case e.TopicChanged():
            yield "topic_words", _words(event)
        case e.TopicDrifted():
            yield "drifts", _drift(event)
        case e.EpochBegun():
            yield "epochs", _columns(event, "model_version", "epoch", "embedding_model", "codebook")
        case e.TopicLabelled():
            yield "labels", _columns(event, "model_version", "topic_id", "label", "by", "sequence")
        case e.TopicMerged():
            merged = _columns(event, "model_version", "topic_id", "label", "sequence", "day")
            yield "merges", merged | {"target": event.into}
        case e.TopicDormant():
            yield "dormancies", _columns(event, "model_version", "topic_id", "asleep", "sequence", "day")
        case e.TopicsConsolidated():
            yield "consolidations", event.model_dump(exclude={"schema_version"})
        case e.HealthChanged():
            yield "health", event.model_dump(exclude={"schema_version"})
        case e.SubjectEmerged():
            yield "emergences", _emergence(event)
        case e.CodebookDecided():
            yield from _decision(event)
        case e.TopicJudged():
            yield "judgements", event.model_dump(exclude={"schema_version"})
        case e.ConceptJudged():
            yield "concept_judgements", event.model_dump(exclude={"schema_version"})
        case e.ValidationSampleDrawn():
            yield from _validation_sample(event)
        case e.ParagraphCoded():
            lists = {"offered": list(event.offered), "topics": list(event.topics)}
            yield "codings", event.model_dump(exclude={"schema_version"}) | lists
        case e.VideoCorrected():
            yield (
                "corrections",
                event.model_dump(exclude={"schema_version"}) | {"correction_id": event.event_id},
            )
        case e.AlertRaised():
            yield "alerts", _alert(event)
        case e.AlertJudged():
            yield "alert_judgements", event.model_dump(exclude={"schema_version"})
        case e.DeliveryRecorded():
            delivery = event.model_dump(exclude={"schema_version"})
            yield "deliveries", delivery | {"alert_ids": list(event.alert_ids)}
        case e.DeadLettered():
            yield "dead_letters", _dead_letter(event)
        case e.DeadLetterSettled():
            settled = {"letter_id": event.letter_id, "action": event.action}
            yield "settlements", settled | {"settled_at": event.settled_at}
        case _:
            pass
    if (row := reached(event)) is not None:
        yield "progress", row


def paragraph_row(
    video_id: str, transcript_version: str, position: int, **columns: Any
) -> tuple[str, Columns]:
    """Return the row of one paragraph (its text is in the paragraphs artefact, not in the event)."""
    return "paragraphs", {
        "video_id": video_id,
        "transcript_version": transcript_version,
        "position": position,
        **columns,
    }


def _video(video: e.Video, completeness: int) -> Columns:
    kept_elsewhere = {"live_status", "speakers", "media_url", "begins_at", "short_form"}
    row = video.model_dump(exclude=kept_elsewhere)
    return row | {"speakers": list(video.speakers), "completeness": completeness}


def _sighting(event: e.VideoSeen) -> Columns:
    sighting = event.sighting
    return {
        "video_id": event.key,
        "source_id": sighting.source_id,
        "query": sighting.query,
        "kind": sighting.kind,
        "lane": sighting.lane,
        "rank": sighting.rank,
        "first_seen_at": sighting.seen_at,
    }


def _screening(video_id: str, verdict: str, rule: str, reason: str) -> Columns:
    stands = 2 if verdict == "rejected" else 1
    return {"video_id": video_id, "verdict": verdict, "rule": rule, "reason": reason, "stands": stands}


def _relevance(video_id: str, relevance: e.Relevance | None, *, stands: int) -> Iterator[tuple[str, Columns]]:
    if relevance is not None:
        row = relevance.model_dump() | {"reasons": list(relevance.reasons)}
        yield "relevances", row | {"video_id": video_id, "stands": stands}


def _transcript(event: e.TranscriptReady) -> Columns:
    return {
        "video_id": event.key,
        "transcript_version": event.transcript_version,
        "blob_key": event.transcript.key,
        "language": event.language,
        "duration_s": event.duration_s,
        "words": event.words,
        "speakers": event.speakers,
    }


def _assignments(event: e.ParagraphsAssigned) -> Iterator[tuple[str, Columns]]:
    of = _of_talk(event)
    yield "learned", of | {"transcript_version": event.transcript_version}
    for paragraph in event.assignments:
        cluster = {"video_index": event.video_index, "topic_id": paragraph.topic_id or NO_TOPIC}
        yield "assignments", of | cluster | _columns(paragraph, "paragraph_id", "probability", "boilerplate")
    if event.judge:
        yield from _memberships(event, event.assignments)


def _memberships(
    event: e.ParagraphsAssigned | e.ConceptsRejudged,
    paragraphs: Iterable[e.AssignedParagraph | e.RejudgedParagraph],
) -> Iterator[tuple[str, Columns]]:
    of = _of_talk(event)
    for paragraph in paragraphs:
        about = {
            "paragraph_id": paragraph.paragraph_id,
            "topic_ids": [each.topic_id for each in paragraph.concepts],
            "probabilities": [each.probability for each in paragraph.concepts],
            "judge": event.judge,
        }
        yield "memberships", of | about


def _of_talk(event: e.ParagraphsAssigned | e.ConceptsRejudged) -> Columns:
    assert event.video.published_at is not None, "screening lets no video without a date pass"
    month = e.month_of(event.video.published_at)
    return _columns(event, "model_version", "sequence") | {"video_id": event.key, "month": month}


def _birth(event: e.TopicBorn) -> Iterator[tuple[str, Columns]]:
    yield (
        "topics",
        {
            "model_version": event.model_version,
            "topic_id": event.topic_id,
            "origin": event.origin,
            "codebook_key": event.codebook_key or "",
            "born_sequence": event.sequence,
            "emerged_at": event.emerged_at,
            "video_ids": list(event.video_ids),
            "parent": event.parent or NO_TOPIC,
            "words": [word for word, _ in event.words],
        },
    )
    yield "topic_words", _words(event)
    yield (
        "codebook_entries",
        {
            "model_version": event.model_version,
            "topic_id": event.topic_id,
            "revision": 0,
            "name": event.label,
            "theme": event.theme or "",
            "retained": True,
            "target": NO_TOPIC,
            "reason": "",
        },
    )
    for founder in event.founders:
        yield (
            "assignments",
            founder.model_dump()
            | {
                "model_version": event.model_version,
                "topic_id": founder.topic_id or NO_TOPIC,
                "boilerplate": False,
                "sequence": event.sequence,
            },
        )


def _decision(event: e.CodebookDecided) -> Iterator[tuple[str, Columns]]:
    of = {"model_version": event.model_version, "revision": event.revision}
    for entry in event.entries:
        yield "codebook_entries", of | entry.model_dump() | {"target": entry.target or NO_TOPIC}
    for theme in event.themes:
        yield "themes", of | theme.model_dump()
    about = event.model_dump(exclude={"schema_version", "entries", "themes"})
    yield (
        "decisions",
        about
        | {
            "topic_ids": [entry.topic_id for entry in event.entries],
            "theme_names": [theme.theme for theme in event.themes],
            "undoes": event.undoes or 0,
        },
    )


def _validation_sample(event: e.ValidationSampleDrawn) -> Iterator[tuple[str, Columns]]:
    of = _columns(event, "sample", "model_version", "population", "drawn_by", "drawn_at")
    for paragraph in event.paragraphs:
        yield "validation_samples", of | paragraph.model_dump() | {"topics": list(event.topics)}


def _words(event: e.TopicEvent) -> Columns:
    return {
        "model_version": event.model_version,
        "topic_id": event.topic_id,
        "label": event.label,
        "words": [word for word, _ in event.words],
        "weights": [weight for _, weight in event.words],
        "sequence": event.sequence,
    }


def _columns(event: e.Event | e.Fact, *names: str) -> Columns:
    return event.model_dump(include=set(names))


def _drift(event: e.TopicDrifted) -> Columns:
    row = event.model_dump(exclude={"schema_version", "label", "words", "quotes", "evidence", "video_ids"})
    return row | {"words_before": list(event.words_before), "words_after": list(event.words_after)}


def _emergence(event: e.SubjectEmerged) -> Columns:
    row = event.model_dump(exclude={"schema_version", "evidence", "video_ids"})
    about = {"emergence_id": event.event_id, "video_ids": list(event.video_ids)}
    return row | about | {"topic_id": event.topic_id or NO_TOPIC} | _evidence(event.evidence)


def _alert(event: e.AlertRaised) -> Columns:
    row = event.model_dump(exclude={"schema_version", "evidence", "video_ids"})
    about = {"alert_id": event.event_id, "video_ids": list(event.video_ids)}
    return row | about | {"topic_id": event.topic_id or NO_TOPIC} | _evidence(event.evidence)


def _evidence(evidence: e.Evidence | None) -> Columns:
    """Return the columns that `emergences` and `alerts` share; empty ones without evidence."""
    if evidence is None:
        counts = dict.fromkeys(("sources", "recent", "recent_of", "earlier", "earlier_of", "log10_p"), 0)
        return counts | {"terms": [], "channel": "", "first_on": None, "latest_on": None, "quotes": []}
    quotes = [tuple(quote.model_dump().values()) for quote in evidence.quotes]
    return evidence.model_dump() | {"terms": list(evidence.terms), "quotes": quotes}


def _dead_letter(event: e.DeadLettered) -> Columns:
    row = event.model_dump(exclude={"schema_version", "payload_blob"})
    blob = event.payload_blob
    return row | {"letter_id": event.event_id, "payload_key": blob.key if blob else None}
