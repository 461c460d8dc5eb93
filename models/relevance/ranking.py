"""Ranking of videos by relevance, learned from reviewers, with reasons and a threshold.

Without labels it gives the estimates of `Classes` from kinds, subject and signs; each label corrects them a
little (`models.relevance.offset_logistic`). Nothing is stored: a model is a function of its labels, and
fitting a thousand takes about a second.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.errors import BadInput
from models.relevance.classes import Classes, Opinion, TalkMetadata
from models.relevance.offset_logistic import Array, corrections, sigmoid
from models.relevance.prompts import KINDS
from models.relevance.signs import SIGNS
from models.relevance.threshold import Threshold, choose

__all__ = ["Classes", "LabelledVideo", "RelevanceModel", "Score", "TalkMetadata", "Threshold", "fit"]

_EMBEDDING, _SIGN, _OPINION, _CHANNEL, _ALL = 1.5, 0.5, 0.2, 0.7, 2.0
"""Feature scales: how freely labels correct by embedding, signs, the prior estimate, channel, and overall.

Tuned on tagged talks from before 2018, so that 10 labels rank other talks no worse than none."""
_FOLDS = 5
_REASONS = 5
_TELLS = 0.1
"""Log-odds below which a contribution is not given as a reason."""
_ALIKE = 0.35
"""Cosine from which a labelled video is named as an example."""


@dataclass(frozen=True, eq=False)
class LabelledVideo:
    """A video with a reviewer's verdict; `embedding` is that of its `talk.text`, float32 [d].

    A video may have several labels, also contradictory ones: together they weigh as much as one.
    """

    video_id: str
    talk: TalkMetadata
    embedding: npt.NDArray[np.float32]
    keep: bool
    talk_kind: str


@dataclass(frozen=True, slots=True)
class Score:
    """The relevance of a video.

    Attributes:
        score: estimated probability that reviewers keep it.
        talk_kind: its likeliest kind.
        reasons: contributions to the score, strongest first; each begins with "for: " or "against: ".
    """

    score: float
    talk_kind: str
    reasons: tuple[str, ...]


def fit(classes: Classes, labels: Iterable[LabelledVideo]) -> RelevanceModel:
    """Return the model fitted to labels; their order does not matter.

    Raises:
        BadInput: an embedding has another width or is not finite, or a kind of talk is unknown.
    """
    learned = sorted(labels, key=lambda each: (each.video_id, each.keep, each.talk_kind, each.talk.text))
    for each in learned:
        if each.talk_kind not in KINDS:
            raise BadInput(
                f"{each.talk_kind!r}, the label of {each.video_id}, is not a kind of talk",
                f"use one of {', '.join(KINDS)}",
            )
    return RelevanceModel(classes, learned)


class RelevanceModel:
    """Scores of videos, learned from reviews of others; made by `fit`."""

    def __init__(self, classes: Classes, labels: Sequence[LabelledVideo]) -> None:
        """Fit to labels; their order affects the last digits, so `fit` sorts them."""
        self._classes = classes
        self._labels = labels
        self._talks = [label.talk for label in labels]
        width = len(classes.centre)
        rows = [np.asarray(label.embedding, np.float64).ravel() for label in labels]
        if any(len(row) != width for row in rows):
            raise BadInput(
                f"a label's embedding does not have {width} numbers", "embed its text with the current model"
            )
        self._vectors = classes.checked(np.array(rows).reshape(len(rows), width), len(rows))
        self._opinion = classes.opinion(self._talks, self._vectors)
        reviews = Counter(label.video_id for label in labels)
        self._weights = np.array([1.0 / reviews[label.video_id] for label in labels])
        self._kept = np.array([label.keep for label in labels], np.int64)
        videos = Counter(talk.channel for talk in self._talks if talk.channel)
        self._channels = {channel: at for at, channel in enumerate(sorted(videos))}
        self._features_of_labels = self._features(self._talks, self._vectors, self._opinion)
        self._learned = self._learn(np.arange(len(labels)))
        kinds = np.array([KINDS.index(label.talk_kind) for label in labels], np.int64)
        self._kinds = corrections(self._features_of_labels, self._opinion.kinds, kinds, self._weights)

    @property
    def name(self) -> str:
        """The classes' name, and the number and a hash of the labels: equal names give equal scores."""
        if not self._labels:
            return f"{self._classes.name}, no labels"
        said = [
            [
                each.video_id,
                each.keep,
                each.talk_kind,
                each.talk.text,
                each.talk.channel,
                each.talk.duration_s,
            ]
            for each in self._labels
        ]
        digest = hashlib.blake2b(json.dumps(said).encode(), digest_size=4).hexdigest()
        videos = len({each.video_id for each in self._labels})
        return f"{self._classes.name}, {len(said)} labels of {videos} videos ({digest})"

    def rank(self, talks: Sequence[TalkMetadata], embeddings: npt.NDArray[np.floating]) -> list[Score]:
        """Return each video's score, in the given order; `embeddings` are of their `text`s, float [n, d].

        Raises:
            BadInput: `embeddings` have another shape, or a number in them is not finite.
        """
        vectors = self._classes.checked(embeddings, len(talks))
        opinion = self._classes.opinion(talks, vectors)
        features = self._features(talks, vectors, opinion)
        shares = sigmoid(opinion.keep + features @ self._learned)
        kinds = (opinion.kinds + features @ self._kinds.T).argmax(axis=1)
        return [
            Score(round(float(share), 6), KINDS[kind], self._reasons(talk, vector, opinion, row, feature))
            for row, (talk, vector, feature, share, kind) in enumerate(
                zip(talks, vectors, features, shares, kinds, strict=True)
            )
        ]

    def threshold(self, recall: float) -> Threshold:
        """Choose the score below which videos need no reviewer, at a given recall of the videos to keep.

        Chosen on cross-validated predictions for the labelled videos (5 folds of videos).

        Raises:
            BadInput: `recall` is not above 0 and below 1.
        """
        scores, kept = self._foretold
        return choose(recall, scores, kept)

    @cached_property
    def _foretold(self) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Cross-validated score and verdict of each labelled video; keep wins over contradictory labels."""
        fold = {name: at % _FOLDS for at, name in enumerate(self._by_verdict())}
        folds = np.array([fold[label.video_id] for label in self._labels], np.int64)
        features = self._features_of_labels
        scores = np.zeros(len(self._labels))
        for at in range(_FOLDS):
            out = folds == at
            if out.any():
                learned = self._learn(np.flatnonzero(~out))
                scores[out] = sigmoid(self._opinion.keep[out] + features[out] @ learned)
        kept = {label.video_id: False for label in self._labels}
        for label in self._labels:
            kept[label.video_id] |= label.keep
        score = {label.video_id: value for label, value in zip(self._labels, scores, strict=True)}
        return np.array([score[name] for name in kept]), np.array(list(kept.values()), np.bool_)

    def _by_verdict(self) -> list[str]:
        kept = {label.video_id for label in self._labels if label.keep}
        return sorted({label.video_id for label in self._labels}, key=lambda name: (name in kept, name))

    def _learn(self, rows: npt.NDArray[np.int64]) -> Array:
        """Return the correction of the log-odds of being kept per feature, fitted to some of the labels."""
        features = self._features_of_labels[rows]
        # Two answers share a correction between them, so each gets half of the variance.
        offsets = np.stack([np.zeros(len(rows)), self._opinion.keep[rows]], axis=1)
        found = corrections(features / np.sqrt(2.0), offsets, self._kept[rows], self._weights[rows])
        return np.asarray((found[1] - found[0]) / np.sqrt(2.0), np.float64)

    def _features(self, talks: Sequence[TalkMetadata], vectors: Array, opinion: Opinion) -> Array:
        channels = np.zeros((len(talks), len(self._channels)))
        for row, talk in enumerate(talks):
            if talk.channel in self._channels:
                channels[row, self._channels[talk.channel]] = _CHANNEL
        return np.hstack(
            [
                _EMBEDDING * (vectors - self._classes.centre),
                _SIGN * opinion.signs,
                _OPINION * opinion.keep[:, None],
                np.full((len(talks), 1), _ALL),
                channels,
            ]
        )

    def _reasons(
        self, talk: TalkMetadata, vector: Array, opinion: Opinion, row: int, feature: Array
    ) -> tuple[str, ...]:
        signs, reading, close = self._classes.without(opinion, row)
        learned, width = self._learned * feature, len(vector)
        signs = signs + learned[width : width + len(SIGNS)]
        found = [(odds, sign.says) for odds, sign in zip(signs, SIGNS.values(), strict=True)]
        found.append((reading, f"reads like {_a(KINDS[int(opinion.reading[row].argmax())])}"))
        found.append((close, f"{'close to' if close > 0 else 'far from'} the study's subject"))
        if talk.channel in self._channels:
            found.append((learned[width + len(SIGNS) + 2 :].sum(), self._of_channel(talk.channel)))
        alike = float(learned[:width].sum())
        found.append((alike, self._like(vector, alike > 0)))
        found.sort(key=lambda each: (-abs(each[0]), each[1]))
        return tuple(
            f"{'for' if odds > 0 else 'against'}: {says}" for odds, says in found if abs(odds) >= _TELLS
        )[:_REASONS]

    def _of_channel(self, channel: str) -> str:
        said = {label.video_id: label.keep for label in self._labels if label.talk.channel == channel}
        return f"reviewers kept {sum(said.values())} of {len(said)} talks of this channel"

    def _like(self, vector: Array, kept: bool) -> str:
        verdict = "kept" if kept else "excluded"
        rows = np.flatnonzero(self._kept == int(kept))
        cosines = self._vectors[rows] @ vector
        if len(rows) and cosines.max() >= _ALIKE:
            title = " ".join(self._talks[rows[int(cosines.argmax())]].title.split())
            return f"much like “{title if len(title) <= 80 else title[:79] + '…'}”, which reviewers {verdict}"
        return f"its words are like those of talks that reviewers {verdict}"


def _a(kind: str) -> str:
    return {"other": "something other than a talk"}.get(kind) or f"a{'n' if kind[0] in 'eo' else ''} {kind}"
