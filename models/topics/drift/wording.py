"""Detection of a change in the words of a topic."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.topics.drift import effect_size
from models.topics.drift.settings import DriftSettings
from models.topics.drift.shift import Array, Counts, ShiftDetector, SplitSums

Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class WordingChange:
    """The words that a topic lost and gained.

    Attributes:
        distance: Jensen-Shannon divergence in bits, beyond that of chance.
        beyond: see `DetectedShift`.
        lost, gained: numbers of the words whose log-odds have fallen and risen most, strongest first, as far
            as their shares of videos changed by more than a medium effect, with 95 % confidence, and not only
            in one of several sources.
    """

    distance: float
    beyond: float
    lost: tuple[int, ...]
    gained: tuple[int, ...]
    videos_before: int
    videos_after: int
    since: int


class Wording:
    """One topic's latest videos as sets of words: a word is in a video or not.

    Attributes:
        videos: each video's words, as numbers of a lexicon.
        days: each video's day of publication, as an ordinal.
        sources: a number for the source of each video; 0 if it is not known.
    """

    def __init__(
        self,
        settings: DriftSettings,
        videos: Iterable[Numbers] = (),
        days: Iterable[int] = (),
        sources: Iterable[int] = (),
        told: Iterable[float] = (),
    ) -> None:
        self.videos = list(videos)
        self.days = list(days)
        self.sources = list(sources)
        self._settings = settings
        self._detector = ShiftDetector(settings, _evidence, _divergence, told)

    @property
    def observed(self) -> list[float]:
        """See `ShiftDetector.observed`."""
        return self._detector.observed

    def update(self, words: Numbers, day: int, source: int = 0) -> WordingChange | None:
        """Add a video with the topic; return the change, if any, which the next call does not remember."""
        self.videos = [*self.videos, words][-self._settings.memory :]
        self.days = [*self.days, day][-self._settings.memory :]
        self.sources = [*self.sources, source][-self._settings.memory :]
        presence, numbers = self._presence()
        shift = self._detector.update(presence)
        if shift is None:
            return None
        lost, gained = self._moved(presence, numbers, shift.cut)
        after = len(self.videos) - shift.cut
        since = self.days[shift.cut]
        return WordingChange(shift.distance, shift.beyond, lost, gained, shift.cut, after, since)

    def moved(self, after: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the numbers of the words lost and gained in so many latest videos; see `WordingChange`."""
        if not 0 < after < len(self.videos):
            return (), ()
        return self._moved(*self._presence(), len(self.videos) - after)

    def forget(self, after: int) -> None:
        """Keep only so many latest videos."""
        self.videos, self.days, self.sources = self.videos[-after:], self.days[-after:], self.sources[-after:]

    def _presence(self) -> tuple[Counts, NDArray[np.intp]]:
        """Return float32 [videos, words], 1 if a video has a word, and the words' numbers."""
        s = self._settings
        said = np.concatenate(self.videos)
        counts = np.bincount(said)
        common = np.flatnonzero(counts >= s.word_videos)
        common = common[np.argsort(-counts[common], kind="stable")][: s.words_of_topic]
        columns = np.full(len(counts), len(common))
        columns[common] = np.arange(len(common))
        presence = np.zeros((len(self.videos), len(common) + 1), np.float32)
        rows = np.repeat(np.arange(len(self.videos)), [len(video) for video in self.videos])
        presence[rows, columns[said]] = 1.0
        return presence[:, :-1], common

    def _moved(
        self, presence: Counts, numbers: NDArray[np.intp], cut: int
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        s, n = self._settings, len(presence)
        sums = presence.astype(np.float64).cumsum(axis=0)
        before, after = sums[cut - 1], sums[-1] - sums[cut - 1]
        z = log_odds_change(before, after, cut, n - cut, s.odds_prior)
        matters = np.abs(effect_size.proportions(before, cut, after, n - cut)) > effect_size.MEDIUM
        sources = np.array(self.sources)
        order = [
            int(word)
            for word in np.argsort(z, kind="stable")
            if matters[word] and changed_elsewhere(presence[:, word] > 0, sources, cut)
        ]
        most = s.odds_share * float(np.abs(z).max(initial=0.0))
        if not any(abs(z[word]) >= most for word in order):
            return (), ()  # what moved most does not matter
        least_lost, least_gained = (
            max(s.odds_z, s.odds_share * float(side.max(initial=0.0))) for side in (-z, z)
        )
        lost = [int(numbers[word]) for word in order if z[word] <= -least_lost]
        gained = [int(numbers[word]) for word in order[::-1] if z[word] >= least_gained]
        return tuple(lost[: s.shown]), tuple(gained[: s.shown])


def most_said(words: Sequence[str], count: int) -> list[str]:
    """Return the most frequent words; in a tie, the earlier first.

    >>> most_said(["model", "prompt", "agent", "prompt"], 2)
    ['prompt', 'model']
    """
    return [word for word, _ in Counter(words).most_common(count)]


def changed_elsewhere(present: NDArray[np.bool_], sources: NDArray[np.int64], cut: int) -> bool:
    """Return whether the share of videos with a word also changed without the source that changed it most.

    A sponsor, a host or a guest changes the words of one show. Without the source that has the word in most
    videos, on the side where it is more frequent, the share still has to change by more than a medium effect.

    Args:
        present: whether each video has the word, [n], oldest first.
        sources: a number for the source of each video, [n], 0 if it is not known; if all that are known are
            the same, the answer is yes.
        cut: the first video after the change.

    >>> present, sources = np.array([0, 0, 0, 0, 1, 1, 1, 1], bool), np.array([1, 2, 1, 2, 1, 1, 1, 1])
    >>> changed_elsewhere(present, sources, 4), changed_elsewhere(present, np.array([1, 2] * 4), 4)
    (False, True)
    """
    known = sources[sources != 0]
    if (known == known[:1]).all():
        return True
    before, after = present[:cut], present[cut:]
    rose = after.mean() > before.mean()
    having = sources[cut:][after] if rose else sources[:cut][before]
    names, counts = np.unique(having, return_counts=True)
    others = sources != names[counts.argmax()]
    before, after = present[:cut][others[:cut]], present[cut:][others[cut:]]
    if not len(before) or not len(after):
        return False
    h = 2 * (np.arcsin(np.sqrt(after.mean())) - np.arcsin(np.sqrt(before.mean())))
    return bool((h if rose else -h) > effect_size.MEDIUM)


def log_odds_change(
    before: Array, after: Array, videos_before: int, videos_after: int, prior: float
) -> Array:
    """Return the change of each word's log-odds of being in a video, in standard deviations.

    With an informative Dirichlet prior: Monroe, Colaresi and Quinn, "Fightin' Words" (2008), eq. 16 and 22.
    The prior is the word's rate in both parts together, so that rare words do not win by chance.

    Args:
        before, after: float64 [v], videos with the word in each part.
        prior: weight of the prior, in videos.
    """
    expected = prior * (before + after + 0.5) / (videos_before + videos_after + 1.0)
    with_before, with_after = before + expected, after + expected
    odds_before = with_before / (videos_before + prior - with_before)
    odds_after = with_after / (videos_after + prior - with_after)
    return np.asarray(
        (np.log(odds_after) - np.log(odds_before)) / np.sqrt(1.0 / with_before + 1.0 / with_after)
    )


def _evidence(parts: SplitSums) -> Array:
    """Return the log-likelihood ratio (bits) of two word distributions against one.

    It is Lin's Jensen-Shannon divergence (1991), with parts weighted by their words, times the number of
    words.
    """
    both = parts.before[:1] + parts.after[:1]  # the same for every split
    own = _n_log_n(parts.before).sum(axis=1) + _n_log_n(parts.after).sum(axis=1)
    sizes = _n_log_n(parts.before.sum(axis=1)) + _n_log_n(parts.after.sum(axis=1))
    return np.asarray(own - sizes - _n_log_n(both).sum(axis=1) + _n_log_n(both.sum(axis=1)))


def _divergence(parts: SplitSums) -> Array:
    """Return the Jensen-Shannon divergence (bits) of the two word distributions, equally weighted."""
    from scipy.stats import entropy

    before = parts.before / np.maximum(parts.before.sum(axis=1, keepdims=True), 1.0)
    after = parts.after / np.maximum(parts.after.sum(axis=1, keepdims=True), 1.0)
    middle = (before + after) / 2
    parted = (entropy(before, middle, base=2, axis=1) + entropy(after, middle, base=2, axis=1)) / 2
    return np.asarray(np.nan_to_num(parted), np.float64)


def _n_log_n(counts: Counts) -> Array:
    """Return n log2 n of whole numbers, 0 for 0; from a table, since this is the most expensive step."""
    numbers = counts.astype(np.intp)
    return _table(int(numbers.max(initial=0)) | 0xFFF)[numbers]


@lru_cache(maxsize=8)
def _table(largest: int) -> Array:
    numbers = np.arange(largest + 1, dtype=np.float64)
    return np.asarray(numbers * np.log2(np.maximum(numbers, 1.0)))
