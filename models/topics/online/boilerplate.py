"""Boilerplate detection: greetings, introductions, sponsor reads, "follow me on"."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.dedup.shingles import Rows, Sightings, Sound
from models.errors import BadInput
from models.hashing import hashed

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class BoilerplateSettings:
    """Thresholds for words to count as repeated, and for a paragraph to be left out."""

    share: float = 0.5
    """A paragraph with at least this share of its words repeated is boilerplate …"""

    edge_share: float = 0.35
    """… or with this share if it overlaps either end of a talk, where the rest is mostly small talk."""

    shingle: int = 6
    """Words per shingle."""

    sample: int = 4
    """One shingle in this many is sampled: always the same ones, by their hash."""

    others: int = 2
    """Other videos of the source that must have a shingle for it to be repeated."""

    gap: int = 16
    """Maximum number of words between two repeated shingles that count as repeated with them."""

    span: int = 12
    """Minimum number of words in a repeated span, as idioms are shorter."""

    entries: int = 150_000
    """Maximum number of stored shingles: those of some 80 hours of talk; recurring ones stay far longer."""

    edge: int = 150
    """Words at either end of a talk that are searched for formulas, if the talk has six times as many."""

    formula: int = 3
    """Words of a formula."""

    formula_others: int = 4
    """Other videos, of any source, that must have a formula at their ends …"""

    formula_lift: float = 4.0
    """… and the minimum ratio of its rate per word there to its rate in between."""

    formulas: int = 60_000
    """Maximum number of stored candidates for formulas."""

    patience: int = 500
    """Videos by which each further video with a shingle extends its storage."""

    def __post_init__(self) -> None:
        whole = (self.shingle, self.sample, self.others, self.span, self.entries, self.edge)
        shares = min(self.share, self.edge_share) > 0 and max(self.share, self.edge_share) <= 1
        if min(*whole, self.formula, self.formula_others, self.formulas) < 1 or not shares:
            raise BadInput(
                "boilerplate cannot be found with a setting below 1, or a share outside 0 to 1",
                "set its numbers of words, videos and entries to 1 or more, and its shares between 0 and 1",
            )


@dataclass(frozen=True, eq=False)
class ScreenedParagraphs:
    """A video's paragraphs, without boilerplate.

    Attributes:
        boilerplate: bool [n], paragraphs to leave out.
        texts: n paragraphs with repeated words cut out; empty for one that is left out.
        repeated_share: float64 [n], share of repeated words: in long spans that the source has used in other
            videos, or in formulas that begin or end talks.
    """

    boilerplate: Mask
    texts: tuple[str, ...]
    repeated_share: NDArray[np.float64]


class Boilerplate:
    """Detector of two kinds of repetition, both counted in videos other than the current one.

    *Spans* are near-duplicates within a source, by hashed word shingles (Broder 1997) sampled by their hash.
    A span repeats words of `others` videos of the same source, possibly with other names and numbers. Words
    of such length that two sources share are not boilerplate: they may be a quotation, or news.

    *Formulas* are phrases with changing wording ("thank you so much for taking the time, Ann, it's been a
    pleasure"): a few words that talks of any source use at their ends and hardly in between.

    A paragraph is boilerplate if enough of its words are in one or the other. A text in a script without
    spaces between words never is, nor is one shorter than a shingle in the middle of a talk.

    State is bounded by `entries` and `formulas` (see `Sightings`): at most some 10 MB.

    Args:
        spans, formulas: known shingles, of whole talks and of their ends.
        words: int64 [2], number of words searched for formulas: at the ends, and in between.
    """

    def __init__(
        self,
        settings: BoilerplateSettings,
        spans: Sightings | None = None,
        formulas: Sightings | None = None,
        words: Rows | None = None,
    ) -> None:
        self.settings = settings
        self.spans = Sightings.none(settings.others + 1) if spans is None else spans
        self.formulas = Sightings.none(settings.formula_others + 1) if formulas is None else formulas
        self.words = np.zeros(2, np.int64) if words is None else words

    def screen(self, source: str, video_id: str, texts: Sequence[str]) -> ScreenedParagraphs:
        """Separate a video's boilerplate by what was learned before; then learn the video."""
        s, edge = self.settings, self.settings.edge
        said = [text.split() for text in texts]
        sound = Sound.of(said)
        repeated = self._spans(source, video_id, sound) | self._formulas(video_id, sound)
        boilerplate = np.zeros(len(texts), np.bool_)
        share = np.zeros(len(texts))
        left = list(texts)
        begin = 0
        for row, words in enumerate(said):
            cut = repeated[begin : begin + len(words)]
            at_edge = self._has_edges(sound) and not (edge <= begin <= sound.written - edge - len(words))
            begin += len(words)
            if cut.any():
                share[row] = cut.mean()
                boilerplate[row] = share[row] >= (s.edge_share if at_edge else s.share)
                left[row] = "" if boilerplate[row] else " ".join(compress(words, (~cut).tolist()))
        return ScreenedParagraphs(boilerplate, tuple(left), share)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the known shingles, and the number of words."""
        return {
            **self.spans.to_arrays("boilerplate_spans"),
            **self.formulas.to_arrays("boilerplate_formulas"),
            "boilerplate_words": self.words,
        }

    @classmethod
    def from_arrays(cls, settings: BoilerplateSettings, arrays: dict[str, NDArray[Any]]) -> "Boilerplate":
        """Return the detector that `to_arrays` stored."""
        return cls(
            settings,
            Sightings.from_arrays("boilerplate_spans", arrays),
            Sightings.from_arrays("boilerplate_formulas", arrays),
            arrays["boilerplate_words"].copy(),
        )

    def _spans(self, source: str, video_id: str, sound: Sound) -> Mask:
        """Return which written words are in a span that the source has used before."""
        s = self.settings
        shingles, starts, ends = sound.shingles(s.shingle, hashed(source))
        sampled = (shingles >> np.uint64(32)) % np.uint64(s.sample) == 0
        shingles, starts, ends = shingles[sampled], starts[sampled], ends[sampled]
        repeated = self.spans.others(shingles, video_id) >= s.others
        self.spans.enter(shingles, video_id)
        self.spans.forget(s.entries, s.patience)
        return _covered(starts[repeated], ends[repeated], sound.written, gap=s.gap, span=s.span)

    def _has_edges(self, sound: Sound) -> bool:
        return sound.written >= 6 * self.settings.edge

    def _formulas(self, video_id: str, sound: Sound) -> Mask:
        """Return which written words are in formulas at the ends of the talk."""
        s = self.settings
        if not self._has_edges(sound):
            return np.zeros(sound.written, np.bool_)
        shingles, starts, ends = sound.shingles(s.formula)
        outside = (ends <= s.edge) | (starts >= sound.written - s.edge)
        edge, starts, ends = shingles[outside], starts[outside], ends[outside]
        at_ends, between = self.formulas.counts(edge)
        lift = at_ends / (between + 1.0) * (self.words[1] / max(int(self.words[0]), 1))
        said = (self.formulas.others(edge, video_id) >= s.formula_others) & (lift >= s.formula_lift)
        self.formulas.enter(edge, video_id)
        self.formulas.note(shingles[~outside])
        self.formulas.forget(s.formulas, s.patience)
        self.words = self.words + np.array([2 * s.edge, sound.written - 2 * s.edge])
        return _covered(starts[said], ends[said], sound.written, gap=0, span=s.formula)


def _covered(starts: Rows, ends: Rows, words: int, *, gap: int, span: int) -> Mask:
    """Return which words are between a start and its end or in a gap, in spans that are long enough."""
    covered = np.zeros(words, np.bool_)
    if len(starts):
        breaks = np.flatnonzero(starts[1:] - ends[:-1] > gap)
        firsts = starts[np.concatenate([[0], breaks + 1])]
        lasts = ends[np.concatenate([breaks, [len(ends) - 1]])]
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
            covered[first:last] = last - first >= span
    return covered
