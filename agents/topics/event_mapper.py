"""Maps the topic model's outcomes to events, as pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from agents.topics.concepts import JudgedTalk
from models.languages.common_words import without_common
from models.topics import (
    Birth,
    Consolidation,
    Dormancy,
    Drift,
    EarlierAssignment,
    Emergence,
    HealthChange,
    Merge,
    Outcome,
    RiseEvidence,
    SourceQuote,
    TopicState,
)
from streams.events import (
    AssignedParagraph,
    ConceptMembership,
    EpochBegun,
    Event,
    Evidence,
    Founder,
    HealthChanged,
    ParagraphsAssigned,
    ParagraphsEmbedded,
    Quote,
    SubjectEmerged,
    TopicBorn,
    TopicChanged,
    TopicDormant,
    TopicDrifted,
    TopicMerged,
    TopicsConsolidated,
    Video,
)

DIGITS = 6
"""Decimals of probabilities and other figures: more would be noise, and make messages long."""
LOG10_P = -999.0
"""Lower bound of log10 p, because JSON has no infinity."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a model: a talk that it learned, or a consolidation.

    Attributes:
        model_version: the model's version, including the epoch.
        sequence: the number of steps so far, including this one.
        day: the publication day of the talk, or the day of the consolidation (UTC).
        labels: the labels of its topics; a topic merged in this step still has its own.
        epoch: the number of the model's epoch.
        video: the talk; None for a consolidation.
    """

    model_version: str
    sequence: int
    day: date
    labels: Mapping[int, str]
    epoch: int = 0
    video: Video | None = None

    @property
    def moment(self) -> datetime:
        """The time of the step's events: the time of publication, or the start of the day."""
        published_at = self.video.published_at if self.video else None
        return published_at or datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)

    @property
    def language(self) -> str:
        """The talk's language (ISO 639-1); empty if it is not known."""
        return (self.video.language if self.video else "") or ""

    @property
    def source(self) -> str:
        """Name of the talk's source; empty if it is not known."""
        return self.video.channel or self.video.show if self.video else ""

    def label(self, topic_id: int) -> str:
        """Return the label of a topic, or its number if the model has no label for it."""
        return self.labels.get(topic_id, f"topic {topic_id}")


def beginning(
    model_version: str, epoch: int, embedding_model: str, codebook: str, topics: Sequence[TopicState]
) -> list[Event]:
    """Return the event that makes a model the study's current one, and the births of its seeded topics."""
    begun = EpochBegun(
        model_version=model_version,
        sequence=0,
        epoch=epoch,
        embedding_model=embedding_model,
        codebook=codebook,
    )
    return [begun, *(seeded(model_version, topic) for topic in topics if topic.origin == "seeded")]


def seeded(model_version: str, topic: TopicState) -> TopicBorn:
    """Return the birth of a topic of the codebook, with which the model begins."""
    return TopicBorn(
        model_version=model_version,
        topic_id=topic.topic_id,
        sequence=0,
        label=topic.label,
        words=topic.words,
        origin=topic.origin,
        theme=topic.theme,
        codebook_key=topic.key,
    )


def assigned(
    learned: ParagraphsEmbedded, outcome: Outcome, step: Step, judged: JudgedTalk | None
) -> ParagraphsAssigned:
    """Return the clusters, and the concepts where they were judged, of a talk's paragraphs."""
    concepts = judged.memberships if judged else [()] * len(outcome.assignments)
    return ParagraphsAssigned(
        video=learned.video,
        video_index=outcome.video_index,
        model_version=step.model_version,
        transcript_version=learned.transcript_version,
        sequence=step.sequence,
        epoch=step.epoch,
        judge=judged.judge if judged else "",
        assignments=tuple(
            AssignedParagraph(
                paragraph_id=each.paragraph_id,
                topic_id=each.topic_id,
                probability=round(each.probability, DIGITS),
                boilerplate=each.boilerplate,
                concepts=tuple(
                    ConceptMembership(topic_id=topic_id, probability=round(probability, DIGITS))
                    for topic_id, probability in memberships
                ),
            )
            for each, memberships in zip(outcome.assignments, concepts, strict=True)
        ),
    )


def topic_events(outcome: Outcome, step: Step) -> Iterator[Event]:
    """Yield a step's events about topics and the model; a consolidation itself comes first."""
    if outcome.consolidation is not None:
        yield _consolidated(outcome.consolidation, step)
    for birth in outcome.births:
        yield _born(birth, step)
    for merge in outcome.merges:
        yield _merged(merge, step)
    for dormancy in outcome.dormancies:
        yield _dormant(dormancy, step)
    for topic in outcome.topics_changed:
        yield _changed(topic, step)
    for drift in outcome.drifts:
        yield _drifted(drift, step)
    for change in outcome.health:
        yield _health(change, step)
    for emergence in outcome.emergences:
        yield _emerged(emergence, step)


def _born(birth: Birth, step: Step) -> TopicBorn:
    return seeded(step.model_version, birth.topic).model_copy(
        update={
            "sequence": step.sequence,
            "video_ids": birth.video_ids,
            "founders": tuple(_founder(each) for each in birth.assignments),
            "emerged_at": step.moment,
            "parent": birth.parent,
        }
    )


def _founder(earlier: EarlierAssignment) -> Founder:
    return Founder(
        paragraph_id=earlier.paragraph_id,
        video_id=earlier.video_id,
        video_index=earlier.video_index,
        month=date.fromisoformat(f"{earlier.month}-01"),
        topic_id=earlier.topic_id,
        probability=round(earlier.probability, DIGITS),
    )


def _changed(topic: TopicState, step: Step) -> TopicChanged:
    return TopicChanged(
        model_version=step.model_version,
        topic_id=topic.topic_id,
        sequence=step.sequence,
        label=topic.label,
        words=topic.words,
    )


def _merged(merge: Merge, step: Step) -> TopicMerged:
    return TopicMerged(
        model_version=step.model_version,
        topic_id=merge.topic_id,
        sequence=step.sequence,
        label=step.label(merge.topic_id),
        into=merge.into,
        day=step.day,
    )


def _dormant(dormancy: Dormancy, step: Step) -> TopicDormant:
    return TopicDormant(
        model_version=step.model_version,
        topic_id=dormancy.topic_id,
        sequence=step.sequence,
        label=step.label(dormancy.topic_id),
        asleep=dormancy.asleep,
        day=step.day,
    )


def _drifted(drift: Drift, step: Step) -> TopicDrifted:
    share = drift.what in ("share", "meaning", "rise")
    rise = drift.rise
    return TopicDrifted(
        model_version=step.model_version,
        topic_id=drift.topic_id,
        sequence=step.sequence,
        label=step.label(drift.topic_id),
        share_before=drift.before if share else 0.0,
        share_after=drift.after if share else 0.0,
        moved=0.0 if share else round(drift.after, DIGITS),
        drifted_at=step.moment,
        what=drift.what,
        words_before=without_common(drift.words_before, step.language),  # those name no change
        words_after=without_common(drift.words_after, step.language),
        since=drift.since,
        videos_before=drift.videos_before,
        videos_after=drift.videos_after,
        quotes=() if rise else _quotes(drift.quotes),
        evidence=_evidence_of_rise(rise, drift.quotes) if rise else None,
        video_ids=rise.video_ids if rise else (),
    )


def _evidence_of_rise(rise: RiseEvidence, quotes: Sequence[SourceQuote]) -> Evidence:
    return Evidence(
        terms=(),
        channel="share",
        sources=rise.sources,
        recent=rise.recent,
        recent_of=rise.recent_of,
        earlier=rise.earlier,
        earlier_of=rise.earlier_of,
        log10_p=max(LOG10_P, round(rise.log10_p, DIGITS)),
        first_on=rise.first_on,
        latest_on=rise.latest_on,
        quotes=_quotes(quotes),
    )


def _consolidated(consolidation: Consolidation, step: Step) -> TopicsConsolidated:
    return TopicsConsolidated(
        model_version=step.model_version,
        sequence=step.sequence,
        day=step.day,
        accepted=consolidation.accepted,
        reason=consolidation.reason,
        survival=consolidation.survival,
        topics_before=consolidation.topics_before,
        topics_after=consolidation.topics_after,
    )


def _health(change: HealthChange, step: Step) -> HealthChanged:
    return HealthChanged(
        model_version=step.model_version,
        sequence=step.sequence,
        day=step.day,
        what=change.what,
        before=change.before,
        after=change.after,
        since=change.since,
    )


def _emerged(emergence: Emergence, step: Step) -> SubjectEmerged:
    source = emergence.only_on  # the model knows its id; the talk that completed it is of that source
    only_on = (step.source or source) if source else ""
    return SubjectEmerged(
        model_version=step.model_version,
        sequence=step.sequence,
        day=step.day,
        subject=emergence.subject,
        topic_id=emergence.topic_id,
        video_ids=emergence.video_ids,
        reason=emergence.reason.replace(source, only_on) if source else emergence.reason,
        evidence=Evidence(
            terms=emergence.terms,
            channel=emergence.channel,
            sources=emergence.sources,
            recent=emergence.recent,
            recent_of=emergence.recent_of,
            earlier=emergence.earlier,
            earlier_of=emergence.earlier_of,
            log10_p=max(LOG10_P, round(emergence.log10_p, DIGITS)),
            first_on=emergence.first_on,
            latest_on=emergence.latest_on,
            quotes=_quotes(emergence.quotes),
        ),
        emerged_at=step.moment,
        only_on=only_on,
        replaces=emergence.replaces,
    )


def _quotes(quotes: Sequence[SourceQuote]) -> tuple[Quote, ...]:
    return tuple(
        Quote(
            paragraph_id=quote.paragraph_id,
            video_id=quote.video_id,
            source=quote.source,
            published_on=quote.published_on,
            start=quote.start,
            text=quote.text,
        )
        for quote in quotes
    )
