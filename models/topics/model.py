"""The topic model: learns one video at a time."""

import hashlib
import json
from datetime import date

import numpy as np
from numpy.typing import NDArray

from models.codebook.codebook import Codebook
from models.errors import BadInput
from models.topics.learning.apply_consolidation import look
from models.topics.learning.births import Founders, Given, found, tell
from models.topics.learning.observers import drifts, health, news
from models.topics.lifecycle.registry import LastHeard
from models.topics.lifecycle.representatives import Representative
from models.topics.lifecycle.reservoir import Sampled
from models.topics.lifecycle.small_talk import SHORT, is_at_end
from models.topics.naming.hierarchy import Linkage, hierarchy
from models.topics.online.batch import Batch
from models.topics.online.centring import Vectors, unit
from models.topics.online.learnable import Learnable
from models.topics.online.partial_fit import Worded, worded
from models.topics.online.person_names import without_people
from models.topics.online.words import content_words
from models.topics.results import Assignment, Outcome, TopicState
from models.topics.settings import TopicSettings
from models.topics.settings_fingerprint import numbers
from models.topics.snapshot.snapshot import Snapshot
from models.topics.state import ModelState


class TopicModel:
    """An online BERTopic with stable ids: one writer, one video at a time.

    The same batches in the same order give the same ids, words, probabilities and snapshot bytes, whatever
    the hash seed, and whether or not the model was saved and restored in between; on one kind of machine,
    with the same library versions. If `learn` fails with anything but `BadInput`, the model is unusable:
    restore the last snapshot.

    Attributes:
        version: names the model that assignments come from. Models with the same codebook, embedding model
            and settings share it; births do not change it.
        memory: its parts, read-only; only `learn` and `consolidate` change them.
    """

    def __init__(self, memory: ModelState) -> None:
        """Wrap a state; use `seeded` or `from_snapshot` instead."""
        self.version = memory.version
        self.embedding_model = memory.embedding_model
        self.memory = memory

    @classmethod
    def seeded(
        cls,
        codebook: Codebook,
        seed_embeddings: NDArray[np.float32],
        settings: TopicSettings,
        embedding_model: str,
    ) -> "TopicModel":
        """Return a model without videos; topics 1 … k are the codebook's, in its order.

        Args:
            codebook: may have no topics; then all topics are born.
            seed_embeddings: float32 [k, d], of each topic's `seed` text; [0, d] without topics.
            embedding_model: names the model of these embeddings and of every batch's.

        Raises:
            BadInput: the seed embeddings are not one usable vector per topic.
        """
        k = len(codebook.topics)
        if seed_embeddings.ndim != 2 or len(seed_embeddings) != k or not seed_embeddings.shape[1]:
            raise BadInput(
                f"codebook {codebook.name} has {k} topics, but seed embeddings {list(seed_embeddings.shape)}",
                f"embed the seed text of each topic into an array [{k}, d]",
            )
        if not (np.isfinite(seed_embeddings).all() and seed_embeddings.any(axis=1).all()):
            raise BadInput(
                f"a seed embedding of codebook {codebook.name} is zero or not finite", "embed it again"
            )
        version, seeds = _version(codebook, settings, embedding_model), _vectors(seed_embeddings)
        return cls(ModelState.begin(codebook, seeds, settings, version, embedding_model))

    @classmethod
    def from_snapshot(
        cls, snapshot: Snapshot, settings: TopicSettings, embedding_model: str | None = None
    ) -> "TopicModel":
        """Return the model that the snapshot was taken of.

        Args:
            embedding_model: names the model of the batches' embeddings; None: it is not checked.

        Raises:
            BadInput: the snapshot was learned with other settings, another embedding model or another major
                version of a library, or a part of it is missing.
        """
        return cls(ModelState.from_snapshot(snapshot, settings, embedding_model))

    def to_snapshot(self) -> Snapshot:
        """Return the complete state of this model; `from_snapshot` continues exactly here."""
        return self.memory.to_snapshot()

    def learned(self, batch_id: str) -> bool:
        """Return whether a batch of this id has been learned; ids are stored as hashes."""
        return self.memory.ledger.has_batch(batch_id)

    def knows(self, video_id: str) -> bool:
        """Return whether any batch of this video has been learned."""
        return self.memory.ledger.has_video(video_id)

    def topics(self) -> tuple[TopicState, ...]:
        """Return the current state of every active or dormant topic, by id; merged ones are `aliases`."""
        return tuple(map(self.memory.roster.state, self.memory.roster.living()))

    def active(self) -> tuple[int, ...]:
        """Return the ids of the topics that paragraphs can be assigned to, ascending."""
        return tuple(sorted(self.memory.roster.centroids.topic_ids))

    def aliases(self) -> dict[int, int]:
        """Return merged topics with the topics that they have become."""
        return {
            topic_id: self.memory.roster.follow(topic_id) for topic_id in sorted(self.memory.roster.aliases)
        }

    def representatives(self, topic_id: int) -> tuple[Representative, ...]:
        """Return up to eight representative paragraphs of a topic, closest to its centroid first."""
        return self.memory.roster.representatives.of(topic_id)

    def predict(self, embeddings: NDArray[np.float32]) -> tuple[Given, ...]:
        """Return the assignments of paragraphs with these embeddings, float32 [n, d], without learning."""
        labels, probabilities = self.memory.roster.centroids.predict(_vectors(embeddings))
        ids = [None, *self.memory.roster.centroids.topic_ids]
        return tuple((ids[at], float(p)) for at, p in zip(labels, probabilities, strict=True))

    def hierarchy(self) -> tuple[Linkage, ...]:
        """Return the merge tree of the active topics; see `models.topics.naming.hierarchy`."""
        return hierarchy(self.memory.roster.centroids.topic_ids, self.memory.roster.centroids.centroids())

    def learn(self, batch: Batch) -> Outcome:
        """Learn one video's paragraphs.

        Boilerplate and paragraphs without a content word have no topic, and are not learned. Another version
        of a video learned before keeps the video's index and replaces it in the novelty buffer, the sample
        and among the representatives; it does not count again for drift and news, and its earlier version's
        effect on centroids and words remains.

        Raises:
            BadInput: the batch has been learned (check `learned` first), or its embeddings have another
                dimension than the seeds. The model is then unchanged.
        """
        self._check(batch)
        known = self.memory.roster.known()
        seen = self._forget(batch.video_id)
        index = self.memory.ledger.enter(batch.batch_id, batch.video_id)
        said = self._said(batch)
        self.memory.background.absorb(said.vectors)
        founders = found(self.memory, batch, said)
        given = self._give(said, founders)
        self._follow(batch, said)
        assignments = self._assignments(batch, said, given)
        self._remember(batch, said, assignments, seen)
        births, dormancies = tell(self.memory, founders, given, batch.batch_id)
        moved = () if seen else drifts(self.memory, batch, said, assignments)
        fit = () if seen else health(self.memory, batch, said, assignments)
        looked = look(self.memory, batch.month, batch.batch_id) if self.memory.schedule.due() else None
        births += looked.births if looked else ()
        self.memory.roster.name()
        return Outcome(
            index,
            assignments,
            births=births,
            merges=looked.merges if looked else (),
            dormancies=dormancies + (looked.dormancies if looked else ()),
            consolidation=looked.consolidation if looked else None,
            emergences=() if seen else news(self.memory, batch, said, births, index),
            drifts=moved,
            health=fit,
            topics_changed=self.memory.roster.changed(known),
        )

    def consolidate(self, batch_id: str, on: date) -> Outcome:
        """Consolidate all topics now; the outcome has no assignments.

        Its `video_index` is that of the video learned last, -1 before the first.

        Args:
            batch_id: names this consolidation like a batch, so that it happens once.
            on: the day of the request; topics unheard for long before then become dormant.

        Raises:
            BadInput: a batch or a consolidation has this id already.
        """
        if self.learned(batch_id):
            raise BadInput(f"batch {batch_id} has been learned already", "skip it")
        known = self.memory.roster.known()
        self.memory.ledger.enter_batch(batch_id)
        looked = look(self.memory, f"{on:%Y-%m}", batch_id)
        return Outcome(
            self.memory.ledger.videos - 1,
            (),
            births=looked.births,
            merges=looked.merges,
            dormancies=looked.dormancies,
            consolidation=looked.consolidation,
            topics_changed=self.memory.roster.changed(known),
        )

    def _check(self, batch: Batch) -> None:
        if self.learned(batch.batch_id):
            raise BadInput(f"batch {batch.batch_id} has been learned already", "skip it")
        wanted, given = len(self.memory.background.total), batch.embeddings.shape[1]
        if wanted != given:
            raise BadInput(
                f"batch {batch.batch_id} has embeddings of {given} dimensions, and the model's have {wanted}",
                f"embed it with {self.embedding_model}",
            )

    def _forget(self, video_id: str) -> bool:
        """Return whether the video was learned before; if so, drop its stored paragraphs."""
        seen = self.memory.ledger.has_video(video_id)
        if seen:
            self.memory.novelty.drop(self.memory.novelty.rows_of(video_id))
            self.memory.reservoir.drop(video_id)
            self.memory.roster.representatives.drop(video_id)
        return seen

    def _said(self, batch: Batch) -> Learnable:
        screened = self.memory.boilerplate.screen(batch.origin, batch.video_id, batch.texts)
        rows = tuple(row for row, text in enumerate(screened.texts) if content_words(text))
        texts = tuple(screened.texts[row] for row in rows)
        named = without_people(texts, batch.people)
        return Learnable(
            rows=rows,
            boilerplate=frozenset(np.flatnonzero(screened.boilerplate).tolist()),
            texts=texts,
            worded=tuple(Worded(text, batch.video_id, batch.origin) for text in named),
            vectors=_vectors(batch.embeddings[list(rows)]),
        )

    def _give(self, said: Learnable, founders: Founders | None) -> list[Given]:
        """Return the assignments of the earlier founders, followed by those of the batch's paragraphs."""
        earlier = [worded(kept) for kept in founders.earlier] if founders else []
        vectors = np.vstack([founders.vectors, said.vectors]) if founders else said.vectors
        return self.memory.roster.online.learn([*earlier, *said.worded], vectors) if len(vectors) else []

    def _follow(self, batch: Batch, said: Learnable) -> None:
        """Move the topics of the codebook by the paragraphs that are judged to be about them."""
        for at, row in enumerate(said.rows):
            for topic_id in batch.about[row] if batch.about else ():
                self.memory.roster.centroids.follow(topic_id, said.vectors[at])

    def _assignments(self, batch: Batch, said: Learnable, given: list[Given]) -> tuple[Assignment, ...]:
        of_rows = dict(zip(said.rows, given[len(given) - len(said.rows) :], strict=True))
        return tuple(
            Assignment(paragraph_id, *of_rows.get(row, (None, 1.0)), boilerplate=row in said.boilerplate)
            for row, paragraph_id in enumerate(batch.paragraph_ids)
        )

    def _remember(
        self, batch: Batch, said: Learnable, assignments: tuple[Assignment, ...], seen: bool
    ) -> None:
        """Count the video, and add its paragraphs to the sample and the representatives."""
        cosines = self.memory.roster.centroids.cosines_to(said.vectors)
        slots = {topic_id: slot for slot, topic_id in enumerate(self.memory.roster.centroids.topic_ids)}
        for at, row in enumerate(said.rows):
            topic_id, text = assignments[row].topic_id, said.texts[at]
            sampled = Sampled(
                batch.paragraph_ids[row],
                batch.video_id,
                batch.month,
                text,
                topic_id,
                batch.origin,
                is_at_end(row, len(batch.texts)),
            )
            self.memory.reservoir.add(sampled, said.vectors[at])
            if topic_id is not None:
                representative = Representative(
                    paragraph_id=batch.paragraph_ids[row],
                    video_id=batch.video_id,
                    cosine=float(cosines[at, slots[topic_id]]),
                    text=text,
                )
                self.memory.roster.representatives.add(topic_id, representative, said.vectors[at])
        if not seen and len(batch.texts) >= SHORT:
            self.memory.places.add(batch.origin, _places(said, assignments))
        present = sorted({each.topic_id for each in assignments if each.topic_id is not None})
        self.memory.roster.mark_seen(present, LastHeard(video=self.memory.ledger.videos, month=batch.month))
        self.memory.schedule.count(len(said.rows), None if seen else batch.month)


def _vectors(embeddings: NDArray[np.float32]) -> Vectors:
    """Return unit vectors rounded to float32, so that a snapshot in float32 is exact."""
    return unit(embeddings.astype(np.float64)).astype(np.float32).astype(np.float64)


def _places(said: Learnable, assignments: tuple[Assignment, ...]) -> dict[int, tuple[int, int]]:
    """Return each topic's number of paragraphs in a talk, and of those at its ends."""
    places: dict[int, tuple[int, int]] = {}
    for row in said.rows:
        topic_id = assignments[row].topic_id
        if topic_id is not None:
            paragraphs, at_ends = places.get(topic_id, (0, 0))
            places[topic_id] = (paragraphs + 1, at_ends + is_at_end(row, len(assignments)))
    return places


def _version(codebook: Codebook, settings: TopicSettings, embedding_model: str) -> str:
    content = [codebook.model_dump(mode="json"), numbers(settings), embedding_model]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return f"{codebook.name}-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"
