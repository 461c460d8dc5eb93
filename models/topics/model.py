"""The topic model: what it has learned, and how one more video changes it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.codebook import Codebook
from models.errors import BadInput
from models.topics.background import Background, Vectors, unit
from models.topics.batch import Batch
from models.topics.centroids import AnchoredCentroids
from models.topics.drift import DriftWatch
from models.topics.ledger import Ledger
from models.topics.meta import Meta, Named, libraries
from models.topics.novelty import Kept, NoveltyBuffer
from models.topics.online import OnlineTopics
from models.topics.outcome import Assignment, Birth, Drift, EarlierAssignment, Outcome, TopicState
from models.topics.settings import TopicSettings
from models.topics.snapshot import FORMAT, Snapshot


@dataclass(frozen=True)
class _Founders:
    """The paragraphs of a topic that is being born, with their unit vectors; the earlier ones first."""

    all: tuple[Kept, ...]
    earlier: tuple[Kept, ...]
    earlier_vectors: Vectors


class TopicModel:
    """An online BERTopic with stable ids: one writer, one video at a time.

    The same batches in the same order give the same ids, words, probabilities and snapshot bytes,
    whatever the hash seed, and whether or not the model was saved and restored in between; on one kind
    of machine, with the same library versions. If `learn` fails with anything but `BadInput`, the model
    is unusable: restore the last snapshot.

    Attributes:
        version: names the model that assignments come from. Models of one codebook, embedding model and
            settings share it; births do not change it.
    """

    def __init__(
        self,
        *,
        version: str,
        embedding_model: str,
        settings: TopicSettings,
        background: Background,
        centroids: AnchoredCentroids,
        novelty: NoveltyBuffer,
        online: OnlineTopics,
        drift: DriftWatch,
        ledger: Ledger,
        named: Iterable[Named],
    ) -> None:
        """Put together by `seeded` and `from_snapshot`."""
        self.version = version
        self.embedding_model = embedding_model
        self._settings = settings
        self._background = background
        self._centroids = centroids
        self._novelty = novelty
        self._online = online
        self._drift = drift
        self._ledger = ledger
        self._named = list(named)

    @classmethod
    def seeded(
        cls,
        codebook: Codebook,
        seed_embeddings: NDArray[np.float32],
        settings: TopicSettings,
        embedding_model: str,
    ) -> "TopicModel":
        """A model that has learned no video; topics 1 … k are the codebook's, in its order.

        Args:
            codebook: may have no topics; then all topics are born.
            seed_embeddings: float32 [k, d], of each topic's `seed` text; [0, d] without topics.
            embedding_model: names what made them, and will make every batch's embeddings.

        Raises:
            BadInput: the seed embeddings are not one usable vector a topic.
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
        seeds = _vectors(seed_embeddings)
        background = Background.begin(seeds, settings.background_prior)
        centroids = AnchoredCentroids.seeded(settings, background, seeds)
        return cls(
            version=_version(codebook, settings, embedding_model),
            embedding_model=embedding_model,
            settings=settings,
            background=background,
            centroids=centroids,
            novelty=NoveltyBuffer(settings, (), np.zeros((0, seeds.shape[1]))),
            online=OnlineTopics.seeded(settings, centroids, [topic.seed for topic in codebook.topics]),
            drift=DriftWatch(settings, [()] * k),
            ledger=Ledger(),
            named=[Named(origin="seeded", name=t.name, theme=t.theme, key=t.key) for t in codebook.topics],
        )

    def learned(self, batch_id: str) -> bool:
        """Whether a batch of this name has been learned; names are remembered as hashes."""
        return self._ledger.has_batch(batch_id)

    def topics(self) -> tuple[TopicState, ...]:
        """Every topic as it is now, in the order of ids."""
        return tuple(self._state(topic_id) for topic_id in range(1, len(self._named) + 1))

    def learn(self, batch: Batch) -> Outcome:
        """Learn one video's paragraphs.

        Another version of a video learned before keeps the video's index, replaces it in the novelty
        buffer and does not count for drift again; what its earlier version taught centroids and words
        stays.

        Raises:
            BadInput: the batch has been learned (ask `learned` first), or its embeddings have another
                dimension than the seeds. The model is then unchanged.
        """
        self._check(batch)
        before = self.topics()
        seen = self._ledger.has_video(batch.video_id)
        index = self._ledger.enter(batch.batch_id, batch.video_id)
        vectors = _vectors(batch.embeddings)
        self._background.absorb(vectors)
        founders = self._conceive(batch, vectors)
        earlier = founders.earlier if founders else ()
        given = self._online.learn(
            [*(kept.text for kept in earlier), *batch.texts],
            np.vstack([founders.earlier_vectors, vectors]) if founders else vectors,
        )
        assignments = tuple(
            Assignment(paragraph_id, *pair)
            for paragraph_id, pair in zip(batch.paragraph_ids, given[len(earlier) :], strict=True)
        )
        births = (self._birth(founders, given, batch.batch_id),) if founders else ()
        drifts = () if seen else self._drifts(assignments, batch)
        return Outcome(index, assignments, births, drifts=drifts, topics_changed=self._changed(before))

    def _check(self, batch: Batch) -> None:
        if self.learned(batch.batch_id):
            raise BadInput(f"batch {batch.batch_id} has been learned already", "skip it")
        wanted, given = len(self._background.total), batch.embeddings.shape[1]
        if wanted != given:
            raise BadInput(
                f"batch {batch.batch_id} has embeddings of {given} dimensions, and the model's have {wanted}",
                f"embed it with {self.embedding_model}",
            )

    def _conceive(self, batch: Batch, vectors: Vectors) -> _Founders | None:
        s, novelty = self._settings, self._novelty
        novelty.drop(novelty.rows_of(batch.video_id))
        novel = np.flatnonzero(self._centroids.highest_cosines(vectors) < s.novel_below)
        kept = [
            Kept(batch.paragraph_ids[row], batch.video_id, batch.month, batch.texts[row]) for row in novel
        ]
        newest = novelty.add(kept, vectors[novel])
        if len(self._centroids) >= s.max_topics:
            return None
        founding = novelty.founding(newest, self._background, self._centroids)
        if founding is None:
            return None
        founders = tuple(novelty.kept[row] for row in founding.rows)
        earlier = tuple(kept for kept in founders if kept.video_id != batch.video_id)
        earlier_vectors = novelty.vectors[founding.rows[: len(earlier)]]
        novelty.drop(founding.rows)
        self._centroids.add(founding.centre, founding.cosines)
        self._drift.add()
        self._named.append(Named(origin="born"))
        return _Founders(founders, earlier, earlier_vectors)

    def _birth(self, founders: _Founders, given: list[tuple[int | None, float]], batch_id: str) -> Birth:
        return Birth(
            topic=self._state(len(self._named)),
            paragraph_ids=tuple(kept.paragraph_id for kept in founders.all),
            video_ids=tuple(dict.fromkeys(kept.video_id for kept in founders.all)),
            batch_id=batch_id,
            assignments=tuple(
                EarlierAssignment(
                    kept.video_id,
                    self._ledger.index_of(kept.video_id),
                    kept.month,
                    kept.paragraph_id,
                    *pair,
                )
                for kept, pair in zip(founders.earlier, given, strict=False)
            ),
        )

    def _drifts(self, assignments: Iterable[Assignment], batch: Batch) -> tuple[Drift, ...]:
        present = {a.topic_id for a in assignments if a.topic_id is not None}
        return tuple(
            Drift(
                change.topic_id,
                "share",
                change.before,
                change.after,
                words_before=(),
                words_after=(),
                since=batch.published_on,
                videos_before=0,
                videos_after=0,
                batch_id=batch.batch_id,
            )
            for change in self._drift.update(present)
        )

    def _changed(self, before: tuple[TopicState, ...]) -> tuple[TopicState, ...]:
        known = {(topic.topic_id, topic.label, frozenset(dict(topic.words))) for topic in before}
        return tuple(
            topic
            for topic in self.topics()
            if (topic.topic_id, topic.label, frozenset(dict(topic.words))) not in known
        )

    def _state(self, topic_id: int) -> TopicState:
        named, words = self._named[topic_id - 1], self._online.words(topic_id)
        label = named.name or ", ".join(word for word, _ in words[:3]) or f"topic {topic_id}"
        return TopicState(topic_id, label, words, named.origin, named.theme, named.key)

    def to_snapshot(self) -> Snapshot:
        """Everything this model knows; `from_snapshot` continues exactly here."""
        meta = Meta(
            format=FORMAT,
            libraries=libraries(),
            version=self.version,
            embedding_model=self.embedding_model,
            settings=asdict(self._settings),
            topics=self._named,
            words=[self._online.words(topic_id) for topic_id in range(1, len(self._named) + 1)],
            vocabulary=self._online.vocabulary(),
            kept=self._novelty.kept,
        )
        arrays: dict[str, NDArray[Any]] = {
            "kept_vectors": self._novelty.vectors.astype(np.float32),
            **self._background.to_arrays(),
            **self._centroids.to_arrays(),
            **self._online.to_arrays(),
            **self._drift.to_arrays(),
            **self._ledger.to_arrays(),
        }
        return Snapshot({name: array.copy() for name, array in arrays.items()}, meta.model_dump(mode="json"))

    @classmethod
    def from_snapshot(
        cls, snapshot: Snapshot, settings: TopicSettings, embedding_model: str | None = None
    ) -> "TopicModel":
        """The model that the snapshot was taken of.

        Args:
            embedding_model: what will make the batches' embeddings; None leaves it unchecked.

        Raises:
            BadInput: the snapshot was learned with other settings or another embedding model, or a part
                of it is missing.
        """
        meta, arrays = Meta.read(snapshot.meta, settings, embedding_model), snapshot.arrays
        try:
            background = Background.from_arrays(arrays)
            centroids = AnchoredCentroids.from_arrays(settings, background, arrays)
            return cls(
                version=meta.version,
                embedding_model=meta.embedding_model,
                settings=settings,
                background=background,
                centroids=centroids,
                novelty=NoveltyBuffer(settings, meta.kept, arrays["kept_vectors"].astype(np.float64)),
                online=OnlineTopics.restored(settings, centroids, arrays, meta.vocabulary, meta.words),
                drift=DriftWatch.from_arrays(settings, arrays),
                ledger=Ledger.from_arrays(arrays),
                named=meta.topics,
            )
        except (KeyError, ValueError) as error:
            raise BadInput(
                f"the parts of the snapshot do not fit together ({error})",
                "take an earlier snapshot, or let the model learn its batches again",
            ) from error


def _vectors(embeddings: NDArray[np.float32]) -> Vectors:
    """Unit vectors that float32 holds exactly, so that a snapshot may keep them as float32."""
    return unit(embeddings.astype(np.float64)).astype(np.float32).astype(np.float64)


def _version(codebook: Codebook, settings: TopicSettings, embedding_model: str) -> str:
    content = [codebook.model_dump(mode="json"), asdict(settings), embedding_model]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return f"{codebook.name}-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"
