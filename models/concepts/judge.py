"""Judges which concepts a paragraph is about, with a calibrated probability each.

One logistic model over all pairs of paragraph and concept weighs the evidence. It knows nothing of a single
concept, so it serves any codebook from its definitions, terms and examples alone. What people judged about a
concept corrects its log-odds: by a constant, by the direction of the embedding, and by each of its terms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from models.codebook.codebook import Codebook
from models.concepts.evidence import NAMES, ConceptEvidence, Features, Prototypes, Talk
from models.concepts.terms import Counts
from models.errors import BadInput
from models.hashing import digest
from models.relevance.offset_logistic import sigmoid

MOST = 3
"""Maximum number of concepts of a paragraph."""
LEAST_PROBABILITY = 0.3
"""Probability from which a paragraph is about a concept: the best F1 on the paragraphs that were read once
(benchmarks/topics/concept_judge.py), which are not those that it is measured on."""
BIAS_SCALE, DIRECTION_SCALE, TERM_SCALE = 0.5, 1.5, 0.7
"""Scales of the features that judgements correct: how freely each may be used."""


class Membership(NamedTuple):
    """A concept that a paragraph is about: its number in the codebook, from 1, and the probability."""

    topic_id: int
    probability: float


class PooledModel(BaseModel):
    """The logistic model of all concepts; `mean` and `scale` standardise the features."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def log_odds(self, features: Features) -> Features:
        """Return the log-odds of float64 [n, k, features], float64 [n, k]."""
        standard = (features - np.array(self.mean)) / np.array(self.scale)
        return np.asarray(standard @ np.array(self.weights) + self.intercept)


class ConceptCorrection(BaseModel):
    """What judgements say about one concept, added to its log-odds.

    Attributes:
        direction: weights of the centred embedding; empty: none.
        terms: weights of the concept's terms.
        judged: number of judgements that it was learned from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bias: float = 0.0
    direction: tuple[float, ...] = ()
    terms: dict[str, float] = {}
    judged: int = 0


class Learned(BaseModel):
    """What judgements say about the concepts of a codebook.

    Attributes:
        embedding_model: the model of the embeddings that `centre` and the directions belong to.
        centre: mean of the embeddings.
        concepts: corrections by the topics' keys.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedding_model: str = ""
    centre: tuple[float, ...] = ()
    concepts: dict[str, ConceptCorrection] = {}

    def elsewhere(self, embedding_model: str, vectors: NDArray[np.float32]) -> Learned:
        """Return what holds with another embedding model as well: all but the directions.

        Args:
            vectors: float32 [n, d], embeddings by that model, whose mean becomes the centre.
        """
        centre = tuple(round(float(value), 4) for value in vectors.mean(axis=0, dtype=np.float64))
        kept = {key: each.model_copy(update={"direction": ()}) for key, each in self.concepts.items()}
        return Learned(embedding_model=embedding_model, centre=centre, concepts=kept)


class ConceptJudge:
    """Judges the paragraphs of talks against the concepts of a codebook.

    Nothing that it judges changes it: the same paragraph in the same talk has the same concepts for ever.

    Attributes:
        version: names what it judges by; judges of one version give the same answers.
        evidence: weighs paragraphs against the concepts.
    """

    def __init__(
        self,
        codebook: Codebook,
        prototypes: Prototypes,
        embedding_model: str,
        *,
        pooled: PooledModel | None = None,
        learned: Learned | None = None,
    ) -> None:
        """Take what comes with Groundswell where no model or corrections are given."""
        self._pooled = pooled or shipped_model()
        self._learned = (learned or shipped_corrections(codebook.name)) if len(codebook.topics) else Learned()
        if self._pooled.features != NAMES:
            raise BadInput("the model of concepts was fitted on other evidence", "fit it again")
        self.evidence = ConceptEvidence(codebook, prototypes)
        self._keys = [topic.key for topic in codebook.topics]
        self._directed = self._learned.embedding_model == embedding_model
        said = [codebook.model_dump_json(), self._pooled.model_dump_json(), self._learned.model_dump_json()]
        self.version = digest("\n".join([*said, embedding_model]))

    def judge(self, talk: Talk, vectors: NDArray[np.float32]) -> list[tuple[Membership, ...]]:
        """Return the concepts of each paragraph of a talk, most probable first, at most `MOST`.

        Args:
            vectors: float32 [n, d] of unit length, the embeddings of its paragraphs.
        """
        if not talk.texts or not self._keys:
            return [() for _ in talk.texts]
        return [chosen(row) for row in self.probabilities(talk, range(len(talk.texts)), vectors)]

    def probabilities(self, talk: Talk, rows: Sequence[int], vectors: NDArray[np.float32]) -> Features:
        """Return the probability that each of these paragraphs is about each concept, float64 [n, k]."""
        return self.weighed(*self.evidence.of(talk, rows, vectors), vectors)

    def log_odds(self, features: Features, counts: Counts, vectors: NDArray[np.float32]) -> Features:
        """Return the log-odds from the evidence of paragraphs (`ConceptEvidence.of`), float64 [n, k]."""
        return self._pooled.log_odds(features) + self._corrections(vectors, counts)

    def weighed(self, features: Features, counts: Counts, vectors: NDArray[np.float32]) -> Features:
        """Return the probabilities from the evidence of paragraphs (`ConceptEvidence.of`), float64 [n, k]."""
        return sigmoid(self.log_odds(features, counts, vectors))

    def _corrections(self, vectors: NDArray[np.float32], counts: Counts) -> Features:
        found = np.zeros((len(vectors), len(self._keys)))
        for at, key in enumerate(self._keys):
            known = self._learned.concepts.get(key)
            if known is not None:
                found[:, at] = known.bias + np.log1p(counts) @ self._weights(known.terms)
                if self._directed and known.direction:
                    found[:, at] += centred(vectors, np.array(self._learned.centre)) @ known.direction
        return found

    def _weights(self, of_terms: Mapping[str, float]) -> Features:
        return np.array([of_terms.get(term, 0.0) for term in self.evidence.terms.terms])


def chosen(probabilities: Features) -> tuple[Membership, ...]:
    """Return the concepts of a paragraph from the probability of each, float64 [k]."""
    order = np.argsort(-probabilities, kind="stable")[:MOST]
    return tuple(
        Membership(int(at) + 1, float(probabilities[at]))
        for at in order
        if probabilities[at] >= LEAST_PROBABILITY
    )


def centred(vectors: NDArray[np.float32], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return embeddings less their mean, of unit length: float64 [n, d]."""
    moved = vectors.astype(np.float64) - centre
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved / np.where(lengths > 0, lengths, 1.0))


def shipped_model() -> PooledModel:
    """Return the model that comes with Groundswell (benchmarks/topics/concept_judge.py makes it)."""
    return PooledModel.model_validate_json(_shipped("pooled.json") or "{}")


def shipped_corrections(codebook: str) -> Learned:
    """Return what judgements say about a codebook that comes with Groundswell; nothing about others."""
    text = _shipped(f"{codebook}.json")
    return Learned.model_validate_json(text) if text else Learned()


def _shipped(name: str) -> str:
    file = files("models.concepts") / "learned" / name
    return file.read_text(encoding="utf-8") if file.is_file() else ""
