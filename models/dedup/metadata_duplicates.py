"""Duplicate detection by metadata: cross-posts, re-uploads and copies under another title.

It works before anything is downloaded, from title, length, date, channel, speakers and an embedding of title
and description. Each feature adds log-odds that were set by hand; their sum gives a probability and its
reasons. A difference that marks two talks (length, another part, day, episode or number) outweighs
everything.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from models.dedup.titles import UNKNOWN, Title, name_of, title_of
from models.errors import BadInput

Embedding = npt.NDArray[np.float32]

LIKELY = 0.5
"""Probability from which a video is a duplicate."""
MOST = 200_000
"""Maximum number of remembered videos; the oldest is forgotten first."""
_PRIOR = -6.0
_ASSUMED = 1_000
"""Videos that are assumed to be known in addition, so that among the first dozen not every word is rare."""
_TRIMMED_S, _TRIMMED, _TOGETHER_DAYS = 10.0, 0.005, 3
"""Largest difference in length of two uploads of a recording (seconds, share); days apart if unknown.

A talk that is given again elsewhere has the same title, speaker and description; only its length differs. So
length decides. A copy that was cut more, an excerpt or a compilation is found only once its transcript is
known.
"""
_BLOCK, _RAREST = 200, 10
"""Most videos that a word, speaker or length may lead to; most such keys per lookup, rarest first."""


@dataclass(frozen=True, eq=False)
class Upload:
    """Metadata of a video before it is downloaded; `embedding` is that of title and description, [d]."""

    video_id: str
    title: str
    channel: str = ""
    published_on: date | None = None
    duration_s: float | None = None
    speakers: tuple[str, ...] = ()
    embedding: Embedding | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A known video that another one repeats, the probability, and the reasons (strongest first)."""

    video_id: str
    probability: float
    why: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Known:
    upload: Upload
    title: Title
    channel: str
    speakers: frozenset[str]
    embedding: Embedding | None


@dataclass
class Duplicates:
    """Index of known videos by the rare words of their titles, by rare speakers and by length.

    `most` bounds the number of videos. Deterministic for a given order of additions.
    """

    most: int = MOST
    _known: OrderedDict[str, _Known] = field(default_factory=OrderedDict)
    _with: dict[str, dict[str, None]] = field(default_factory=dict)
    _titles: Counter[tuple[str, tuple[str, ...]]] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self._known)

    def add(self, upload: Upload) -> None:
        """Remember a video; a known one is replaced, as after a change of title.

        Raises:
            BadInput: its embedding has numbers that are not finite.
        """
        self.forget(upload.video_id)
        known = _known(upload)
        self._known[upload.video_id] = known
        self._titles[_repeated(known)] += 1
        for key in _keys(known):
            self._with.setdefault(key, {})[upload.video_id] = None
        if len(self._known) > self.most:
            self.forget(next(iter(self._known)))

    def forget(self, video_id: str) -> None:
        """Forget a video, such as a deleted one; an unknown one is ignored."""
        known = self._known.pop(video_id, None)
        if known is None:
            return
        self._titles[_repeated(known)] -= 1
        self._titles += Counter()
        for key in _keys(known):
            self._with[key].pop(video_id)
            if not self._with[key]:
                del self._with[key]

    def find(self, upload: Upload, likely: float = LIKELY) -> Match | None:
        """Return the known video that this one most likely repeats, or None; the earliest if several tie.

        A video is never its own duplicate. The known video may be the later upload.

        Raises:
            BadInput: its embedding has numbers that are not finite, or another width than a known one's.
        """
        asked = _known(upload)
        best: Match | None = None
        for video_id in self._candidates(asked):
            found = self._compare(asked, self._known[video_id])
            if found.probability >= likely and (best is None or found.probability > best.probability):
                best = found
        return best

    def _candidates(self, asked: _Known) -> list[str]:
        """Return known videos that share a rare word, a rare speaker or a length, by date."""
        rare = [
            key for key in (*_words(asked), *_lengths(asked, 1)) if 0 < len(self._with.get(key, ())) <= _BLOCK
        ]
        rare.sort(key=lambda key: (len(self._with[key]), key))
        found = {name for key in rare[:_RAREST] for name in self._with[key]} - {asked.upload.video_id}
        return sorted(found, key=lambda name: (_day(self._known[name]), name))

    def _compare(self, new: _Known, old: _Known) -> Match:
        differs = _different(new, old)
        if differs:
            return Match(old.upload.video_id, 0.0, (differs,))
        found = [
            *self._by_title(new, old),
            *self._by_speakers(new, old),
            *_by_duration(new.upload.duration_s, old.upload.duration_s),
            *_by_embedding(new.embedding, old.embedding),
            *_by_date(new, old),
            *self._by_series(new, old),
        ]
        odds = _PRIOR + sum(weight for weight, _ in found)
        why = sorted(
            (each for each in found if each[0] > 0 and each[1]), key=lambda each: (-each[0], each[1])
        )
        return Match(old.upload.video_id, round(1 / (1 + math.exp(-odds)), 4), tuple(says for _, says in why))

    def _by_title(self, new: _Known, old: _Known) -> Iterable[tuple[float, str]]:
        # A speaker or show that is named in one title and only listed with the other is no difference.
        told = new.speakers & old.speakers if new.speakers and old.speakers else new.speakers | old.speakers
        names = [set(title_of(name).words) for name in (*sorted(told), new.channel, old.channel)]
        ours, theirs = (_without(set(each.title.words), names) for each in (new, old))
        if not ours or not theirs:
            return
        weights = {word: self._rarity(f"word {word}") for word in ours | theirs}
        shared = sum(weights[word] for word in sorted(ours & theirs))
        alike = shared / sum(weights[word] for word in sorted(weights))
        contained = shared / min(sum(weights[word] for word in sorted(side)) for side in (ours, theirs))
        # Halfway to the containment of the shorter title, since sub-titles and show names vary.
        alike = max(alike, 0.5 * (alike + contained) if shared >= 10 else alike)
        if alike < 0.3:
            # An upload of the same talk under another title is rarely on the same channel.
            yield (-3.0 if new.channel == old.channel else -1.5, "")
            return
        yield (_title_odds(alike, shared), f"their titles are alike ({alike:.0%})")

    def _by_speakers(self, new: _Known, old: _Known) -> Iterable[tuple[float, str]]:
        if not new.speakers or not old.speakers:
            return
        shared = sorted(new.speakers & old.speakers)
        if not shared:
            yield (-6.0, "")
            return
        ours, theirs, both = (
            sum(self._guest(speaker) for speaker in sorted(group))
            for group in (
                new.speakers - old.speakers,
                old.speakers - new.speakers,
                new.speakers & old.speakers,
            )
        )
        # A guest on either side who is missing on the other: two talks of one host.
        yield (
            min(both, 5.0) - min(ours, theirs, 2.0) * 2,
            f"the same people speak ({', '.join(shared[:3])})",
        )

    def _by_series(self, new: _Known, old: _Known) -> Iterable[tuple[float, str]]:
        """Yield odds against two videos of equal title on one channel, a series, unless lengths are known."""
        known = new.upload.duration_s and old.upload.duration_s
        if new.channel and new.channel == old.channel and not known:
            yield (-3.0 - min(self._titles[_repeated(old)] - 1, 3), "")

    def _guest(self, speaker: str) -> float:
        """Return the evidence of a speaker in nats: none for frequent ones, such as hosts."""
        return max(0.0, self._rarity(f"speaker {speaker}") - 4.0)

    def _rarity(self, key: str) -> float:
        return math.log((len(self._known) + _ASSUMED) / (len(self._with.get(key, ())) + 1))


def _without(words: set[str], names: Iterable[set[str]]) -> set[str]:
    return words - {word for name in names if name <= words for word in name}


def _title_odds(alike: float, shared: float) -> float:
    """Return log-odds from the similarity of two titles, 0.3 to 1, and their shared information in nats."""
    return 7.5 * min(shared / 20.0, 1.0) * ((alike - 0.3) / 0.7) ** 2 - (1.5 if alike < 0.6 else 0.0)


def _by_duration(new: float | None, old: float | None) -> Iterable[tuple[float, str]]:
    """Yield the evidence of two lengths that `_different` has found compatible."""
    if new and old:
        equal = abs(new - old) <= 2
        yield (
            3.5 if equal else 2.5,
            f"they are {'' if equal else 'almost '}equally long ({_clock(new)}, {_clock(old)})",
        )


def _by_embedding(new: Embedding | None, old: Embedding | None) -> Iterable[tuple[float, str]]:
    if new is None or old is None:
        return
    if new.shape != old.shape:
        raise BadInput(
            f"an embedding of {len(new)} numbers cannot be compared with one of {len(old)}",
            "embed known videos again with the current model",
        )
    cosine = float(new @ old)
    if cosine >= 0.95:
        yield (4.0, f"title and description say the same ({cosine:.2f})")
    elif cosine >= 0.85:
        yield (2.0, f"title and description say much the same ({cosine:.2f})")
    elif cosine < 0.5:
        yield (-2.0, "")


def _by_date(new: _Known, old: _Known) -> Iterable[tuple[float, str]]:
    days = _days_apart(new, old)
    if days <= 30:
        yield (0.5, f"they came out {days:.0f} days apart")
    elif 400 < days < math.inf:
        yield (-1.0, "")


def _days_apart(new: _Known, old: _Known) -> float:
    one, other = new.upload.published_on, old.upload.published_on
    return math.inf if one is None or other is None else abs((one - other).days)


def _different(new: _Known, old: _Known) -> str:
    """Return what marks two videos as different talks, or an empty string."""
    new_s, old_s = new.upload.duration_s, old.upload.duration_s
    if new_s and old_s:
        if abs(new_s - old_s) > max(_TRIMMED_S, _TRIMMED * max(new_s, old_s)):
            return f"one lasts {_clock(new_s)}, the other {_clock(old_s)}"
    elif _days_apart(new, old) > _TOGETHER_DAYS:
        return "their lengths are not known, and they did not come out together"
    ours, theirs = new.title.marks, old.title.marks
    for mark in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(mark), theirs.get(mark)
        if mark == "episode":
            # Shows count their own episodes: only within one show do two numbers mean two talks.
            if one and other and one != other and new.channel == old.channel:
                return f"episode {one} is not episode {other}"
        elif UNKNOWN in (one, other) or (one != other and (mark != "number" or (one and other))):
            return f"{mark} {one or '(none)'} is not {mark} {other or '(none)'}"
    return ""


def _known(upload: Upload) -> _Known:
    vector = None
    if upload.embedding is not None:
        wide = np.asarray(upload.embedding, np.float32).ravel()
        if not np.isfinite(wide).all():
            raise BadInput(
                f"the embedding of video {upload.video_id!r} has numbers that are not finite",
                "embed its text again; if that repeats, the embedding model's files are damaged",
            )
        length = float(np.linalg.norm(wide))
        vector = wide / length if length > 1e-9 else None
    speakers = frozenset(filter(None, map(name_of, upload.speakers)))
    return _Known(upload, title_of(upload.title), name_of(upload.channel), speakers, vector)


def _keys(known: _Known) -> list[str]:
    return [*_words(known), *_lengths(known, 0)]


def _words(known: _Known) -> list[str]:
    names = sorted(known.speakers)
    return [*(f"word {word}" for word in known.title.words), *(f"speaker {name}" for name in names)]


def _lengths(known: _Known, around: int) -> list[str]:
    if not known.upload.duration_s:
        return []
    length = round(known.upload.duration_s)
    return [f"length {second}" for second in range(length - around, length + around + 1)]


def _repeated(known: _Known) -> tuple[str, tuple[str, ...]]:
    return known.channel, known.title.words


def _day(known: _Known) -> str:
    return known.upload.published_on.isoformat() if known.upload.published_on else "9999"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) // 60 % 60:02d}:{int(seconds) % 60:02d}"
