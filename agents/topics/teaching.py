"""Teaches concepts by people's judgements: fits their corrections, and judges every learned talk again.

A part of track, whose order it shares. The corrections always begin with those that the epoch began with, so
the same judgements give the same concepts, whatever was taught before, and a withdrawn one leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from agents.topics.batches import batch_of
from agents.topics.concepts import Concepts, LearnedTalk, Memberships, judged
from models.concepts.evidence import Talk
from models.concepts.fitting import Read, teach
from models.concepts.judge import ConceptJudge, Learned, Membership
from models.topics import Batch, Drift, TopicState
from streams.events import ConceptMembership, ConceptsRejudged, ConceptsTaught, RejudgedParagraph
from streams.logs.concept_judgements import COUNTED, CountedJudgement
from streams.state.blobs import Blobs

DIGITS = 6
"""Decimals of probabilities."""


@dataclass(frozen=True, slots=True)
class Taught:
    """What a request changed.

    Attributes:
        judgements: number of judgements whose paragraph the model has learned.
        rejudged: an event for each talk with a paragraph whose concepts are others now.
        changed: the concepts whose words are others now.
        drifts: the concepts that are in doubt now and were not, or the other way round.
    """

    judgements: int
    rejudged: tuple[ConceptsRejudged, ...]
    changed: tuple[TopicState, ...]
    drifts: tuple[Drift, ...]


def carry_out(
    request: ConceptsTaught, concepts: Concepts, blobs: Blobs, model_version: str, sequence: int
) -> Taught:
    """Teach the concepts and judge every learned talk again; `sequence`: number of the model's step."""
    judgements = COUNTED.validate_json(blobs.read(request.judgements))
    before = concepts.judge
    learned, used = _fitted(concepts, judgements, blobs)
    after = concepts.taught(request.event_id, learned)
    rejudged: list[ConceptsRejudged] = []
    again = concepts.new_observer()
    for talk in concepts.talks:
        batch = batch_of(blobs, talk, talk.transcript_version)
        now = judged(after, talk, batch)
        again.observe(batch, now)
        if changes := _changes(batch, judged(before, talk, batch), now):
            rejudged.append(
                ConceptsRejudged(
                    video=talk.video,
                    model_version=model_version,
                    sequence=sequence,
                    judge=after.version,
                    paragraphs=changes,
                )
            )
    return Taught(used, tuple(rejudged), *concepts.adopt(again, request))


def _fitted(concepts: Concepts, judgements: Iterable[CountedJudgement], blobs: Blobs) -> tuple[Learned, int]:
    """Return the corrections of an epoch with these judgements, and how many of them are of its talks."""
    base, codebook = concepts.basis.learned, concepts.basis.codebook
    known = {talk.video.video_id: talk for talk in concepts.talks}
    columns = {topic.key: at for at, topic in enumerate(codebook.topics)}
    of_talk: dict[str, list[CountedJudgement]] = {}
    for each in sorted(judgements, key=lambda each: (each.paragraph_id, each.concept)):
        if each.video_id in known and each.concept in columns:
            of_talk.setdefault(each.video_id, []).append(each)
    found = [
        _read(concepts.judge, known[video_id], said, columns, blobs)
        for video_id, said in sorted(of_talk.items())
    ]
    parts = [part for part in found if len(part.talks)]
    if not parts:
        return base, 0
    read = Read(
        features=np.concatenate([part.features for part in parts]),
        counts=np.concatenate([part.counts for part in parts]),
        vectors=np.concatenate([part.vectors for part in parts]),
        about=np.concatenate([part.about for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
        talks=tuple(talk for part in parts for talk in part.talks),
    )
    if not base.centre or base.embedding_model != concepts.embedding_model:
        base = base.elsewhere(concepts.embedding_model, read.vectors)
    offsets = concepts.judge_of_basis.log_odds(read.features, read.counts, read.vectors)
    learned = teach(base, read, offsets, codebook, concepts.judge.evidence.terms)
    return learned, int((read.weights > 0).sum())


def _read(
    judge: ConceptJudge,
    talk: LearnedTalk,
    said: Iterable[CountedJudgement],
    columns: Mapping[str, int],
    blobs: Blobs,
) -> Read:
    """Return the judged paragraphs of a talk, without those that its present transcript does not have."""
    batch = batch_of(blobs, talk, talk.transcript_version)
    rows = {paragraph_id: row for row, paragraph_id in enumerate(batch.paragraph_ids)}
    there = [each for each in said if each.paragraph_id in rows]
    asked = sorted({rows[each.paragraph_id] for each in there})
    vectors = batch.embeddings[asked]
    features, counts = judge.evidence.of(Talk(talk.video.title, batch.texts), asked, vectors)
    about, weights = np.zeros((len(asked), len(columns)), np.bool_), np.zeros((len(asked), len(columns)))
    for each in there:
        at, column = asked.index(rows[each.paragraph_id]), columns[each.concept]
        about[at, column], weights[at, column] = each.about, each.weight
    return Read(features, counts, vectors, about, weights, (talk.video.video_id,) * len(asked))


def _changes(batch: Batch, before: Memberships, now: Memberships) -> tuple[RejudgedParagraph, ...]:
    return tuple(
        RejudgedParagraph(
            paragraph_id=paragraph_id,
            concepts=tuple(
                ConceptMembership(topic_id=topic_id, probability=round(probability, DIGITS))
                for topic_id, probability in after
            ),
        )
        for paragraph_id, earlier, after in zip(batch.paragraph_ids, before, now, strict=True)
        if _rounded(earlier) != _rounded(after)
    )


def _rounded(memberships: Iterable[Membership]) -> list[tuple[int, float]]:
    return [(topic_id, round(probability, DIGITS)) for topic_id, probability in memberships]
