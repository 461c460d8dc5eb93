"""Read-only observers: emergence, drift, model health."""

from collections.abc import Sequence

import numpy as np

from models.topics.bursts.term_bursts import Spoken
from models.topics.drift.watch import Spoke
from models.topics.emergence.candidate import Newborn
from models.topics.online.batch import Batch
from models.topics.online.centring import Vectors
from models.topics.online.learnable import Learnable
from models.topics.online.words import content_words
from models.topics.results import Assignment, Birth, Drift, Emergence, HealthChange
from models.topics.state import ModelState


def news(
    memory: ModelState, batch: Batch, said: Learnable, births: Sequence[Birth], index: int
) -> tuple[Emergence, ...]:
    """Return the subjects that a video makes news.

    A split is no news: its subject was there before. Nor is small talk of the shows. A video without learned
    paragraphs counts too.
    """
    spoken = Spoken(
        video_id=batch.video_id,
        source=batch.origin,
        published_on=batch.published_on,
        paragraph_ids=tuple(batch.paragraph_ids[row] for row in said.rows),
        texts=said.texts,
        starts=tuple(batch.starts[row] for row in said.rows) if batch.starts else (),
        vectors=said.vectors,
        people=batch.people,
    )
    bursts = memory.bursts.update(spoken, memory.background)
    newborns = [_newborn(memory, birth) for birth in births if birth.parent is None]

    def topic_of(direction: Vectors) -> int | None:
        labels, _ = memory.roster.centroids.predict(direction[np.newaxis])
        return memory.roster.centroids.topic_ids[labels[0] - 1] if labels[0] else None

    emerged = memory.emergence.update(
        spoken,
        index,
        memory.background,
        newborns=[newborn for newborn in newborns if newborn is not None],
        bursts=bursts,
        topic_of=topic_of,
        batch_id=batch.batch_id,
    )
    return tuple(each for each in emerged if not _small_talk(memory, each))


def drifts(
    memory: ModelState, batch: Batch, said: Learnable, assignments: Sequence[Assignment]
) -> tuple[Drift, ...]:
    """Return the drifts of topics after one more video, without those of small talk of the shows."""
    of_topics: dict[int, list[int]] = {}
    for at, row in enumerate(said.rows):
        topic_id = assignments[row].topic_id
        if topic_id is not None:
            of_topics.setdefault(topic_id, []).append(at)
    spoke = [
        Spoke(
            topic_id,
            tuple(word for at in of_topics[topic_id] for word in content_words(said.texts[at])),
            said.vectors[of_topics[topic_id]],
            tuple(batch.quote(said.rows[at], said.texts[at]) for at in of_topics[topic_id]),
        )
        for topic_id in sorted(of_topics)
    ]
    found = memory.drift.update(spoke, batch.published_on, batch.batch_id, batch.video_id, batch.origin)
    return tuple(each for each in found if not memory.places.of(each.topic_id).small_talk)


def health(
    memory: ModelState, batch: Batch, said: Learnable, assignments: Sequence[Assignment]
) -> tuple[HealthChange, ...]:
    """Return the changes of the model's fit after one more video."""
    if not said.rows:
        return ()
    unassigned = sum(assignments[row].topic_id is None for row in said.rows)
    novelty = 1.0 - memory.roster.centroids.highest_cosines(said.vectors)
    return memory.health.update(unassigned, len(said.rows), novelty, batch.published_on, batch.batch_id)


def _small_talk(memory: ModelState, emergence: Emergence) -> bool:
    return emergence.topic_id is not None and bool(memory.places.of(emergence.topic_id).small_talk)


def _newborn(memory: ModelState, birth: Birth) -> Newborn | None:
    topic_id, roster = birth.topic.topic_id, memory.roster
    if topic_id not in roster.centroids.topic_ids:
        return None
    videos = {memory.ledger.index_of(video_id): video_id for video_id in birth.video_ids}
    return Newborn(
        topic_id=topic_id,
        label=birth.topic.label,
        words=tuple(word for word, _ in birth.topic.words),
        centre=roster.centroids.means[roster.centroids.topic_ids.index(topic_id)],
        paragraph_ids=birth.paragraph_ids,
        videos=dict(sorted(videos.items())),
    )
