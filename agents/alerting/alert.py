"""alert: topics.changed → alerts. Raises alerts for subjects that emerged, and for topics
that rose or drifted, with evidence.

The alerts depend only on the log, so that a replay raises the same ones. The rest of `agents.alerting`
decides who receives them and when, and raises the alerts that depend on more than one event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

import structlog

from agents.consumer.consumer import Agent, Position
from agents.queries.wording import drifted, rather
from models.topics.drift.telling import telling
from streams.errors import DataError
from streams.events import AlertRaised, Event, Evidence, SubjectEmerged, TopicDrifted
from streams.kafka.topics import TOPICS_CHANGED, KafkaTopic
from streams.store.rows.topics import Drift

log = structlog.get_logger()
WORDS_IN_TITLE = 2
"""Maximum number of words in a title, lost and gained each; the reason has more."""


class Alert(Agent):
    """Turns emergence and drift events into alerts with a reason and quotes.

    A drift that no gained words show raises none (`models.topics.drift.telling`), since nobody could say what
    has changed; nor does a change of a topic's share that is no rise.
    """

    name: ClassVar[str] = "alert"
    reads: ClassVar[tuple[KafkaTopic, ...]] = (TOPICS_CHANGED,)

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return an alert for an emerged subject or a drifted topic; nothing for other events."""
        match event:
            case SubjectEmerged():
                raised = _emergence(event)
                said = "NEW TOPIC" if raised.rule == "emergence" else "NEW TOPIC OF ONE SOURCE"
                log.warning(said, title=raised.title, why=raised.reason)
                return [raised]
            case TopicDrifted(what="meaning"):
                return [_meaning(event)]
            case TopicDrifted(what="rise"):
                return [_rise(event)]
            case TopicDrifted(what="words" | "centre") if (told := _told(event)) is not None:
                return [_drift(told)]
            case _ if type(event) in TOPICS_CHANGED.carries:
                return ()
            case _:
                raise DataError(f"{type(event).__name__} is not for alert", "drop it")


def _emergence(emerged: SubjectEmerged) -> AlertRaised:
    title = _of_one_source(emerged.subject) if emerged.only_on else f"New topic: {emerged.subject}"
    return AlertRaised(
        rule="one source" if emerged.only_on else "emergence",
        model_version=emerged.model_version,
        topic_id=emerged.topic_id,
        title=title,
        reason=emerged.reason,
        raised_at=emerged.emerged_at,
        video_ids=emerged.video_ids,
        evidence=emerged.evidence,
        sequence=emerged.sequence,
        about=emerged.only_on,
        replaces=_replaced(emerged),
    )


def _of_one_source(subject: str) -> str:
    return f"From one source so far: {subject}"


def _replaced(emerged: SubjectEmerged) -> str:
    """Return the id of the alert of one source that an emergence replaces; empty if it replaces none."""
    if not emerged.replaces:
        return ""
    return AlertRaised(
        rule="one source",
        model_version=emerged.model_version,
        topic_id=None,
        title=_of_one_source(emerged.replaces),
        reason="",
    ).event_id


def _told(drift: TopicDrifted) -> TopicDrifted | None:
    """Return a drift with the words by which it is told; None if it is in the topic's history only."""
    latest = drift.quotes[-1].text if drift.quotes else ""
    words = telling(drift.label, drift.words_before, drift.words_after, latest)
    if words is None:
        return None
    return drift.model_copy(update={"words_before": words[0], "words_after": words[1]})


def _drift(drift: TopicDrifted) -> AlertRaised:
    way = rather(drift.words_before, drift.words_after, WORDS_IN_TITLE)
    return _changed(drift, f"“{drift.label}” is now discussed {way}").model_copy(
        update={
            "video_ids": tuple(quote.video_id for quote in drift.quotes),
            "evidence": _shown(drift) if drift.quotes else None,
            "size": drift.moved,
        }
    )


def _rise(rise: TopicDrifted) -> AlertRaised:
    return _changed(rise, f"Rising: {rise.label}").model_copy(
        update={
            "rule": "rising",
            "about": "",
            "video_ids": rise.video_ids,
            "evidence": rise.evidence,
            "size": round(rise.share_after - rise.share_before, 6),
        }
    )


def _meaning(drift: TopicDrifted) -> AlertRaised:
    doubted = drift.share_after < drift.share_before
    way = "may no longer be what its name says" if doubted else "is what its name says again"
    return _changed(drift, f"“{drift.label}” {way}")


def _changed(drift: TopicDrifted, title: str) -> AlertRaised:
    said = drifted(cast(Drift, drift.model_dump()))  # the event has the fields of the row, but for the name
    return AlertRaised(
        rule="meaning" if drift.what == "meaning" else "drift",
        model_version=drift.model_version,
        topic_id=drift.topic_id,
        title=title,
        reason=f"{said[0].upper()}{said[1:]}.",
        raised_at=drift.drifted_at,
        sequence=drift.sequence,
        about=drift.what,
    )


def _shown(drift: TopicDrifted) -> Evidence:
    """Return words and quotes as evidence; nothing of it is counted among talks."""
    return Evidence(
        terms=drift.words_after,
        channel="",
        sources=0,
        recent=0,
        recent_of=0,
        earlier=0,
        earlier_of=0,
        log10_p=0.0,
        first_on=drift.since or drift.quotes[0].published_on,
        latest_on=drift.quotes[-1].published_on,
        quotes=drift.quotes,
    )
