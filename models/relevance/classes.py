"""Zero-shot classification of videos before any review: by descriptions of kinds and subject, by signs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import BadInput
from models.relevance.offset_logistic import Array, log_shares
from models.relevance.prompts import BACKGROUND, EXPERIENCE, KINDS, PROMPTS
from models.relevance.signs import SIGNS, shown, spoken

Embed = Callable[[Sequence[str]], npt.NDArray[np.float32]]

KEPT_SHARE = 189 / 664
"""Share of found videos that the study kept: the prior probability that a video is kept."""
KIND_SPREAD = 0.15
"""Scale of cosines to a kind's texts; smaller trusts them more. Signs tell kinds better than MiniLM does."""
SUBJECT_MARGIN, SUBJECT_SLOPE = 0.08, 15.0
"""Cosine above the average video's at which the odds of the subject are even; log-odds per unit of cosine.

Like `KIND_SPREAD` they were tuned on tagged talks from before 2018 (benchmarks/screening.py reports the
rest).
"""
CLOSEST = {"kind": 2, "subject": 3}
"""Number of closest texts whose mean cosine is the similarity to a kind or the subject."""
_SURE = 4.0
"""Bound of the log-odds without labels: no probability is below .018 or above .982."""
_EMBEDDED = 1_000


@dataclass(frozen=True, slots=True)
class TalkMetadata:
    """Metadata of a video before it is downloaded."""

    title: str
    description: str = ""
    channel: str = ""
    duration_s: float | None = None

    @property
    def text(self) -> str:
        """Text to embed: the title and the beginning of the description, without links."""
        title = " ".join(self.title.split())[:300]
        return f"{title}. {spoken(self.description)[:_EMBEDDED]}".strip(" .")


@dataclass(frozen=True, eq=False)
class Opinion:
    """The estimates of `Classes` for n videos.

    Attributes:
        keep: float64 [n], log-odds that reviewers keep each.
        kinds: float64 [n, 7], log-odds of `KINDS`, up to a constant per row.
        signs: bool [n, s], which of `SIGNS` each shows.
        subject: float64 [n], log-odds that each is on the subject; infinite if no subject is set.
        reading: float64 [n, 7], the contribution of text similarity to `kinds`.
    """

    keep: Array
    kinds: Array
    signs: npt.NDArray[np.bool_]
    subject: Array
    reading: Array


class Classes:
    """Embedded descriptions of the kinds of talks and of a subject; learns nothing from labels."""

    def __init__(
        self, embed: Embed, version: str, subject: Iterable[str] = (), kept: Collection[str] = (EXPERIENCE,)
    ) -> None:
        """Embed the descriptions: some 70 texts and those of the subject.

        Args:
            embed: maps texts to float32 [n, d] of unit length, such as `Embedder.embed`.
            version: names the embedding model, such as `Embedder.space`.
            subject: texts about the subject: the codebook's `topic.seed`s, or free text; none: any subject.
            kept: the kinds that reviewers keep.

        Raises:
            BadInput: `kept` is empty, contains an unknown kind, or contains all kinds.
        """
        texts = [text.strip() for text in subject if text.strip()]
        self.kept = np.array([kind in kept for kind in KINDS])
        if set(kept) - set(KINDS) or not 0 < self.kept.sum() < len(KINDS):
            raise BadInput(
                f"kinds of talks to keep cannot be {', '.join(sorted(kept)) or 'none'}",
                f"name some, not all, of {', '.join(KINDS)}",
            )
        recipe = json.dumps([version, texts, sorted(kept), BACKGROUND, list(PROMPTS.items()), repr(SIGNS)])
        self.name = f"{version}-{hashlib.blake2b(recipe.encode(), digest_size=4).hexdigest()}"
        background = embed(BACKGROUND).astype(np.float64)
        self.centre = background.mean(axis=0)
        self._prompts = [embed(PROMPTS[kind]).astype(np.float64) for kind in KINDS]
        self._subject = embed(texts).astype(np.float64) if texts else None
        self._usual = self._reading(background).mean(axis=0)
        self._usual_subject = self._alike(background).mean()
        self._effects = np.zeros((len(SIGNS), len(KINDS)))
        for row, sign in enumerate(SIGNS.values()):
            self._effects[row, KINDS.index(sign.kind)] = sign.weight

    def opinion(self, talks: Sequence[TalkMetadata], embeddings: npt.NDArray[np.floating]) -> Opinion:
        """Return the estimates for videos; `embeddings` are those of their `text`s, float [n, d].

        Raises:
            BadInput: `embeddings` have another shape, or a number in them is not finite.
        """
        vectors = self.checked(embeddings, len(talks))
        signs = np.array([shown(talk.title, talk.description, talk.duration_s) for talk in talks], np.bool_)
        signs = signs.reshape(len(talks), len(SIGNS))
        said = np.array([bool(talk.text) for talk in talks], np.float64)  # without text there is no evidence
        reading = said.reshape(-1, 1) * (self._reading(vectors) - self._usual) / KIND_SPREAD
        kinds = reading + signs @ self._effects
        subject = np.full(len(talks), np.inf)
        if self._subject is not None:
            closer = self._alike(vectors) - self._usual_subject
            subject = np.where(said > 0, SUBJECT_SLOPE * (closer - SUBJECT_MARGIN), np.inf)
        keep = _SURE * np.tanh(_and(self.keep_odds(kinds), subject) / _SURE)
        return Opinion(keep, kinds, signs, subject, reading)

    def keep_odds(self, kinds: Array) -> Array:
        """Return log-odds of being kept, float64 [n], from log-odds of `KINDS`, whatever the subject."""
        logs = log_shares(kinds)
        kept, other = (np.logaddexp.reduce(logs[:, which], axis=1) for which in (self.kept, ~self.kept))
        share = self.kept.mean()
        usual = np.log(KEPT_SHARE / (1 - KEPT_SHARE)) - np.log(share / (1 - share))
        return np.asarray(kept - other + usual, np.float64)

    def without(self, opinion: Opinion, row: int) -> tuple[Array, float, float]:
        """Return what each sign, the text and the subject contribute to a video's log-odds of being kept.

        Each is the difference to the estimate without it: float64 [s] (0 for signs that are not shown), and
        two numbers; the subject's is relative to even odds of being on it.
        """
        kinds = opinion.kinds[row]
        rest = np.vstack([kinds - self._effects, kinds - opinion.reading[row], kinds])
        alone, subject = self.keep_odds(rest), opinion.subject[row]
        odds = _and(alone, np.full(len(alone), subject))
        signs = np.where(opinion.signs[row], odds[-1] - odds[:-2], 0.0)
        even = _and(alone[-1:], np.zeros(1))[0] if np.isfinite(subject) else odds[-1]
        return signs, float(odds[-1] - odds[-2]), float(odds[-1] - even)

    def checked(self, embeddings: npt.NDArray[np.floating], count: int) -> Array:
        """Return embeddings as float64 [count, d] of unit length; zero rows stay zero.

        Raises:
            BadInput: they do not have this shape, with the width of the descriptions', or are not finite.
        """
        width = len(self.centre)
        vectors = np.asarray(embeddings, np.float64)
        vectors = vectors.reshape(0, width) if not count and not vectors.size else vectors
        if vectors.shape != (count, width):
            raise BadInput(
                f"{count} videos have embeddings of shape {vectors.shape}, not ({count}, {width})",
                "embed each video's `text` with the model that the classes were embedded with",
            )
        if not np.isfinite(vectors).all():
            row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
            raise BadInput(
                f"the embedding of video {row + 1} of {count} has numbers that are not finite",
                "embed its text again; if that repeats, the embedding model's files are damaged",
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(lengths < 1e-9, 1.0, lengths), np.float64)

    def _reading(self, vectors: Array) -> Array:
        return np.stack([_closest(vectors @ texts.T, CLOSEST["kind"]) for texts in self._prompts], axis=1)

    def _alike(self, vectors: Array) -> Array:
        if self._subject is None:
            return np.zeros(len(vectors))
        return _closest(vectors @ self._subject.T, CLOSEST["subject"])


def _and(one: Array, other: Array) -> Array:
    """Return the log-odds that two independent events both hold."""
    both = -np.logaddexp(0.0, -one) - np.logaddexp(0.0, -other)
    return np.asarray(both - np.log(-np.expm1(both)), np.float64)


def _closest(cosines: Array, count: int) -> Array:
    return np.asarray(np.sort(cosines, axis=1)[:, -count:].mean(axis=1), np.float64)
