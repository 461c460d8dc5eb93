"""Complete state of a topic model, and its conversion to and from a snapshot."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.codebook.codebook import Codebook
from models.errors import BadInput
from models.topics.bursts.settings import BurstSettings
from models.topics.bursts.term_bursts import TermBursts
from models.topics.drift.health import HealthSettings, HealthWatch
from models.topics.drift.watch import DriftSettings, DriftWatch
from models.topics.emergence.emergence import EmergenceWatch
from models.topics.emergence.settings import EmergenceSettings
from models.topics.lifecycle.dormant import Archive
from models.topics.lifecycle.novelty import NoveltyBuffer
from models.topics.lifecycle.registry import Named, TopicRegistry
from models.topics.lifecycle.representatives import Representatives
from models.topics.lifecycle.reservoir import Reservoir
from models.topics.lifecycle.schedule import ConsolidationSchedule
from models.topics.lifecycle.small_talk import PlaceCounts
from models.topics.naming.labels import Labels
from models.topics.online.boilerplate import Boilerplate, BoilerplateSettings
from models.topics.online.centring import Background, Vectors
from models.topics.online.centroids import AnchoredCentroids
from models.topics.online.partial_fit import OnlineTopics, Worded, worded
from models.topics.settings import TopicSettings
from models.topics.settings_fingerprint import numbers
from models.topics.snapshot.ledger import Ledger
from models.topics.snapshot.snapshot import FORMAT, Snapshot
from models.topics.snapshot_meta import Meta, libraries


@dataclass(frozen=True, eq=False)
class ModelState:
    """The parts of a topic model; each bounds its own state, and saves it as arrays and JSON."""

    version: str
    embedding_model: str
    settings: TopicSettings
    background: Background
    roster: TopicRegistry
    novelty: NoveltyBuffer
    reservoir: Reservoir
    schedule: ConsolidationSchedule
    places: PlaceCounts
    drift: DriftWatch
    health: HealthWatch
    boilerplate: Boilerplate
    bursts: TermBursts
    emergence: EmergenceWatch
    ledger: Ledger

    @classmethod
    def begin(
        cls, codebook: Codebook, seeds: Vectors, settings: TopicSettings, version: str, embedding_model: str
    ) -> "ModelState":
        """Return the state without any video; seeds: float64 [k, d], unit vectors of the codebook topics."""
        k, nothing = len(seeds), np.zeros((0, seeds.shape[1]))
        background = Background.begin(seeds, settings.background_prior)
        centroids = AnchoredCentroids.seeded(settings, background, seeds)
        drift = DriftWatch(DriftSettings(), seeds.shape[1])
        for topic_id in centroids.topic_ids:
            drift.begin(topic_id)
        return cls(
            version=version,
            embedding_model=embedding_model,
            settings=settings,
            background=background,
            roster=TopicRegistry(
                settings,
                background=background,
                centroids=centroids,
                online=OnlineTopics.seeded(settings, centroids, [topic.seed for topic in codebook.topics]),
                archive=Archive(settings, (), nothing, nothing, np.zeros((0, settings.recent_cosines))),
                representatives=Representatives(settings, {}, nothing.astype(np.float32)),
                named=[
                    Named(origin="seeded", name=t.name, theme=t.theme, key=t.key) for t in codebook.topics
                ],
                aliases={},
                heard={},
                labels=Labels({}, [topic.name for topic in codebook.topics]),
            ),
            novelty=NoveltyBuffer(settings, (), nothing),
            reservoir=Reservoir(settings, (), nothing),
            schedule=ConsolidationSchedule(settings, seeded=k > 0),
            places=PlaceCounts(),
            drift=drift,
            health=HealthWatch(HealthSettings()),
            boilerplate=Boilerplate(BoilerplateSettings()),
            bursts=TermBursts(BurstSettings(sensitivity=settings.sensitivity)),
            emergence=EmergenceWatch(EmergenceSettings(sensitivity=settings.sensitivity)),
            ledger=Ledger(),
        )

    def to_snapshot(self) -> Snapshot:
        """Return the state as arrays and JSON; `from_snapshot` continues exactly here."""
        roster = self.roster
        meta = Meta(
            format=FORMAT,
            libraries=libraries(),
            version=self.version,
            embedding_model=self.embedding_model,
            settings=numbers(self.settings),
            topics=roster.named,
            aliases=roster.aliases,
            heard=roster.heard,
            sleeping=roster.archive.sleeping,
            representatives=roster.representatives.kept(),
            words=[roster.online.words(slot) for slot in range(len(roster.centroids))],
            vocabulary=roster.online.vocabulary(),
            labels=roster.labels.to_json(),
            drift_words=self.drift.to_json(),
            bursts=self.bursts.to_json(),
            emergence=self.emergence.to_json(),
            kept=self.novelty.kept,
            sampled=self.reservoir.paragraphs(),
        )
        arrays: dict[str, NDArray[Any]] = {
            "kept_vectors": self.novelty.vectors.astype(np.float32),
            **self.background.to_arrays(),
            **roster.centroids.to_arrays(),
            **roster.archive.to_arrays(),
            **roster.representatives.to_arrays(),
            **roster.online.to_arrays(),
            **self.reservoir.to_arrays(),
            **self.schedule.to_arrays(),
            **self.places.to_arrays(),
            **self.drift.to_arrays(),
            **self.health.to_arrays(),
            **self.boilerplate.to_arrays(),
            **self.bursts.to_arrays(),
            **self.emergence.to_arrays(),
            **self.ledger.to_arrays(),
        }
        return Snapshot({name: array.copy() for name, array in arrays.items()}, meta.model_dump(mode="json"))

    @classmethod
    def from_snapshot(
        cls, snapshot: Snapshot, settings: TopicSettings, embedding_model: str | None
    ) -> "ModelState":
        """Return the state that the snapshot was taken of; see `TopicModel.from_snapshot`."""
        meta, arrays = Meta.read(snapshot.meta, settings, embedding_model), snapshot.arrays
        try:
            return cls._from_parts(meta, arrays, settings)
        except (KeyError, ValueError) as error:
            raise BadInput(
                f"the parts of the snapshot do not fit together ({error})",
                "restore it from a backup",
            ) from error

    @classmethod
    def _from_parts(
        cls, meta: Meta, arrays: dict[str, NDArray[Any]], settings: TopicSettings
    ) -> "ModelState":
        background = Background.from_arrays(arrays)
        definitions = sum(topic.origin == "seeded" for topic in meta.topics)
        centroids = AnchoredCentroids.from_arrays(settings, background, arrays, definitions)
        online = OnlineTopics.restored(settings, centroids, arrays, meta.vocabulary, meta.words)
        if "word_talks" not in arrays:  # saved before the usage of words was counted: begin with the sample
            _count_usage(online, centroids, meta)
        return cls(
            version=meta.version,
            embedding_model=meta.embedding_model,
            settings=settings,
            background=background,
            roster=TopicRegistry(
                settings,
                background=background,
                centroids=centroids,
                online=online,
                archive=Archive.from_arrays(settings, meta.sleeping, arrays),
                representatives=Representatives(
                    settings, meta.representatives, arrays["representative_vectors"]
                ),
                named=meta.topics,
                aliases=meta.aliases,
                heard=meta.heard,
                labels=Labels(meta.labels, [each.name for each in meta.topics if each.name]),
            ),
            novelty=NoveltyBuffer(settings, meta.kept, arrays["kept_vectors"].astype(np.float64)),
            reservoir=Reservoir(settings, meta.sampled, arrays["sampled_vectors"].astype(np.float64)),
            schedule=ConsolidationSchedule.from_arrays(settings, arrays),
            places=PlaceCounts.from_arrays(arrays),
            drift=DriftWatch.from_state(DriftSettings(), len(background.total), arrays, meta.drift_words),
            health=HealthWatch.from_arrays(HealthSettings(), arrays),
            boilerplate=Boilerplate.from_arrays(BoilerplateSettings(), arrays),
            bursts=TermBursts.from_state(
                BurstSettings(sensitivity=settings.sensitivity), arrays, meta.bursts
            ),
            emergence=EmergenceWatch.from_state(
                EmergenceSettings(sensitivity=settings.sensitivity), arrays, meta.emergence
            ),
            ledger=Ledger.from_arrays(arrays),
        )


def _count_usage(online: OnlineTopics, centroids: AnchoredCentroids, meta: Meta) -> None:
    """Count the usage of words in the paragraphs that a snapshot holds of its topics."""
    said: dict[int, list[Worded]] = {}
    for topic_id, typical in meta.representatives.items():
        said.setdefault(topic_id, []).extend(Worded(each.text, each.video_id) for each in typical)
    for each in meta.sampled:
        if each.topic_id is not None:
            said.setdefault(each.topic_id, []).append(worded(each))
    for slot, topic_id in enumerate(centroids.topic_ids):
        online.note(slot, said.get(topic_id, ()))
