"""The concepts of an epoch: judges each talk's paragraphs, and observes what is said about the concepts.

A part of track, whose order it shares. What an epoch judges by is written down when the epoch begins, so that
neither an edited codebook file nor another version of Groundswell changes it midway; people's judgements do,
from the moment at which somebody asks for it (`agents.topics.teaching`). Epochs that began before there were
concepts have none: their topics of the codebook are clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from agents.topics.seed_embeddings import prototypes
from models.codebook.codebook import Codebook
from models.concepts.evidence import Prototypes, Talk
from models.concepts.judge import (
    ConceptJudge,
    Learned,
    Membership,
    PooledModel,
    shipped_corrections,
    shipped_model,
)
from models.concepts.observer import PREFIX, ConceptObserver
from models.embedding.embedder import Embedder
from models.errors import BadInput
from models.topics import Batch, Drift, Outcome, TopicSettings, TopicState
from models.topics.online.partial_fit import Words
from models.topics.online.words import content_words
from streams.events import Blob, ConceptsTaught, ParagraphsEmbedded, Video, stable_id
from streams.state.blobs import Blobs

Memberships = tuple[tuple[Membership, ...], ...]
"""The concepts of each paragraph of a talk, in their order."""
_STATE = f"{PREFIX}state"
"""Array of a checkpoint that holds `_State` as JSON."""


class ConceptBasis(BaseModel):
    """What the concepts of an epoch are judged by at its beginning."""

    codebook: Codebook
    pooled: PooledModel
    learned: Learned

    @classmethod
    def shipped(cls, codebook: Codebook) -> ConceptBasis:
        """Return what comes with Groundswell for this codebook."""
        return cls(codebook=codebook, pooled=shipped_model(), learned=shipped_corrections(codebook.name))


class LearnedTalk(BaseModel):
    """A talk that was judged, and where its paragraphs are; `repeated`: positions of boilerplate."""

    video: Video
    transcript_version: str
    paragraphs: Blob
    repeated: tuple[int, ...]


class _State(BaseModel):
    """State beside the observer's: talks in the order of learning, and what people have taught."""

    talks: dict[str, LearnedTalk] = {}
    taught: Learned | None = None
    requests: list[str] = []


@dataclass(frozen=True, slots=True)
class JudgedTalk:
    """A talk's paragraphs as judged, and what the talk changed.

    Attributes:
        judge: the version of what judged them.
        memberships: the concepts of each paragraph.
        changed: the concepts whose words are others now.
        drifts: the drifts of concepts.
    """

    judge: str
    memberships: Memberships
    changed: tuple[TopicState, ...]
    drifts: tuple[Drift, ...]


class Concepts:
    """Judge and observer of an epoch's concepts.

    Attributes:
        basis: what the epoch began with.
        embedding_model: the model of the talks' embeddings, whatever its length of paragraphs.
        judge_of_basis: judges by what the epoch began with.
        judge: judges by that and by what people have taught since.
    """

    def __init__(
        self,
        basis: ConceptBasis,
        prototypes: Prototypes,
        embedding_model: str,
        settings: TopicSettings,
        arrays: dict[str, NDArray[Any]],
    ) -> None:
        """Continue from the arrays of a checkpoint; begin where it has none. Use `load`."""
        self.basis = basis
        self._prototypes = prototypes
        self.embedding_model = embedding_model
        self._settings = settings
        text = arrays[_STATE].tobytes() if _STATE in arrays else b"{}"
        self._state = _State.model_validate_json(text)
        self.judge_of_basis = self._judge_by(basis.learned)
        self.judge = self._judge_by(self._state.taught) if self._state.taught else self.judge_of_basis
        observed = {name: array for name, array in arrays.items() if name != _STATE}
        self._observer = ConceptObserver.from_arrays(basis.codebook, settings, self._dimension, observed)

    @classmethod
    def load(
        cls,
        key: str,
        arrays: dict[str, NDArray[Any]],
        *,
        blobs: Blobs,
        embedder: Embedder,
        settings: TopicSettings,
        shared: Path | None = None,
    ) -> Concepts | None:
        """Return the concepts of an epoch whose basis is stored as `key`; None if the epoch has none.

        Args:
            arrays: the state in the newest checkpoint; empty before the first.
            shared: as of `seed_embeddings.prototypes`.

        Raises:
            BadInput: it was stored by a version that judges otherwise.
        """
        basis = stored_basis(key, blobs)
        if basis is None:
            return None
        return cls(
            basis, prototypes(basis.codebook, embedder, blobs, shared), embedder.model, settings, arrays
        )

    @property
    def ids(self) -> range:
        """The concepts' numbers: those of the codebook's topics."""
        return range(1, len(self.basis.codebook.topics) + 1)

    @property
    def talks(self) -> Sequence[LearnedTalk]:
        """The talks that were judged, in the order in which they were learned first."""
        return tuple(self._state.talks.values())

    def has_taught(self, event_id: str) -> bool:
        """Return whether the request with this id has been carried out."""
        return event_id in self._state.requests

    def judged(self, title: str, batch: Batch) -> Batch:
        """Return a batch with the concepts that its paragraphs are about."""
        found = self.judge.judge(Talk(title, batch.texts), batch.embeddings)
        return replace(batch, about=tuple(tuple(each.topic_id for each in about) for about in found))

    def learn(
        self, event: ParagraphsEmbedded, batch: Batch, boilerplate: Sequence[bool], *, again: bool
    ) -> JudgedTalk:
        """Judge a talk and observe it.

        Args:
            again: another version of the talk was learned before, so it does not count again for drift.
        """
        talk = LearnedTalk(
            video=event.video.model_copy(update={"description": ""}),  # long, and in every checkpoint
            transcript_version=event.transcript_version,
            paragraphs=event.paragraphs,
            repeated=tuple(np.flatnonzero(boilerplate).tolist()),
        )
        self._state.talks[event.key] = talk
        memberships = judged(self.judge, talk, batch)
        observed = self._observer.observe(batch, memberships, again=again)
        changed = tuple(self._named(topic_id, words) for topic_id, words in sorted(observed.words.items()))
        return JudgedTalk(self.judge.version, memberships, changed, observed.drifts)

    def taught(self, event_id: str, learned: Learned) -> ConceptJudge:
        """Judge by other corrections from now on; return what does."""
        self._state.requests.append(event_id)
        self._state.taught = learned
        self.judge = self._judge_by(learned)
        return self.judge

    def new_observer(self) -> ConceptObserver:
        """Return an observer that has seen no talk."""
        return ConceptObserver(self.basis.codebook, self._settings, self._dimension)

    def adopt(
        self, observer: ConceptObserver, request: ConceptsTaught
    ) -> tuple[tuple[TopicState, ...], tuple[Drift, ...]]:
        """Go on with an observer that has seen all talks again; return other words and changed doubts."""
        before, self._observer = self._observer, observer
        now, earlier = observer.words(), before.words()
        on = request.requested_at.astimezone(UTC).date()
        changed = tuple(self._named(each, now[each]) for each in self.ids if now[each] != earlier[each])
        return changed, observer.meaning.against(before.meaning, on, request.event_id)

    def clusters(self, outcome: Outcome) -> Outcome:
        """Return an outcome of the topic model without its topics of the codebook.

        In the model these are the regions of what is about them: what lies nearest to one founds no cluster,
        and lies in none.
        """
        own = self.ids

        def cluster(topic_id: int | None) -> int | None:
            return None if topic_id in own else topic_id

        return replace(
            outcome,
            assignments=tuple(
                replace(each, topic_id=None, probability=1.0) if each.topic_id in own else each
                for each in outcome.assignments
            ),
            births=tuple(
                replace(
                    birth,
                    parent=cluster(birth.parent),
                    assignments=tuple(
                        replace(each, topic_id=cluster(each.topic_id)) for each in birth.assignments
                    ),
                )
                for birth in outcome.births
            ),
            dormancies=tuple(each for each in outcome.dormancies if each.topic_id not in own),
            topics_changed=tuple(each for each in outcome.topics_changed if each.topic_id not in own),
            drifts=tuple(each for each in outcome.drifts if each.topic_id not in own),
            emergences=tuple(replace(each, topic_id=cluster(each.topic_id)) for each in outcome.emergences),
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state for a checkpoint."""
        text = self._state.model_dump_json(exclude_defaults=True).encode()
        return {**self._observer.to_arrays(), _STATE: np.frombuffer(text, np.uint8)}

    @property
    def _dimension(self) -> int:
        return int(self._prototypes.definitions.shape[1])

    def _judge_by(self, learned: Learned) -> ConceptJudge:
        return ConceptJudge(
            self.basis.codebook,
            self._prototypes,
            self.embedding_model,
            pooled=self.basis.pooled,
            learned=learned,
        )

    def _named(self, topic_id: int, words: Words) -> TopicState:
        topic = self.basis.codebook.topics[topic_id - 1]
        return TopicState(topic_id, topic.name, words, "seeded", topic.theme, topic.key)


def basis_key(model_version: str) -> str:
    """Return the key of the blob with what an epoch judges by."""
    return f"assigned/{stable_id(model_version)}/concepts.json"


def stored_basis(key: str, blobs: Blobs) -> ConceptBasis | None:
    """Return what an epoch judges by; None if it has no concepts.

    Raises:
        BadInput: it was stored by a version that judges otherwise.
    """
    if not blobs.exists(key):
        return None
    try:
        return ConceptBasis.model_validate_json(blobs.get(key))
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(
            f"the basis of its concepts cannot be read ({first['msg']} at {first['loc']})",
            "use the version that wrote it",
        ) from error


def begin(key: str, codebook: Codebook, blobs: Blobs) -> None:
    """Write down what an epoch judges by, unless that was done before."""
    if not blobs.exists(key):
        blobs.put(key, ConceptBasis.shipped(codebook).model_dump_json().encode())


def judged(judge: ConceptJudge, talk: LearnedTalk, batch: Batch) -> Memberships:
    """Return the concepts of each paragraph; boilerplate and what has no content word is about nothing."""
    found = judge.judge(Talk(talk.video.title, batch.texts), batch.embeddings)
    return tuple(
        each if row not in talk.repeated and content_words(batch.texts[row]) else ()
        for row, each in enumerate(found)
    )
