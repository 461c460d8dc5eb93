"""Error rates of transcripts: words (WER), speakers (DER), and words with speakers (cpWER).

All are counts, so that a total over recordings is one of words and seconds, not a mean of shares.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np

from benchmarks.speech_samples import Said, Sample
from models.transcripts.transcript import Turn, Word
from streams.errors import DataError

_PARTS = {"missed": "missed detection", "false_alarm": "false alarm", "confused": "confusion"}
LEAST_S = 0.01
"""A word of no length is looked for in a hundredth of a second."""


@dataclass(frozen=True)
class Count:
    """Errors of a total, in words or seconds; `wrong` may exceed the total where words were invented."""

    wrong: float
    of: float

    def __add__(self, other: Count) -> Count:
        return Count(self.wrong + other.wrong, self.of + other.of)

    @property
    def share(self) -> float | None:
        """Share of errors; None if the total is 0."""
        return self.wrong / self.of if self.of else None


@dataclass(frozen=True)
class Heard:
    """Output of a system: words in spoken order, and turns, which may overlap."""

    words: tuple[Word, ...]
    turns: tuple[Turn, ...]


def scored(sample: Sample, heard: Heard, collar_s: float) -> dict[str, Count]:
    """Return every measure that the sample's truth allows, by name.

    `wer`, `cpwer`, `wder`, `wrong_speaker`: of words. `der`, its parts `missed`, `false_alarm`, `confused`,
    and `der_alone`: of seconds of speech.
    """
    found: dict[str, Count] = {}
    if sample.said is not None:
        found["wer"] = word_errors(
            " ".join(said.text for said in sample.said), "".join(word.text for word in heard.words)
        )
        if all(said.speaker for said in sample.said):
            found["cpwer"] = permuted_word_errors(sample.said, heard.words)
            found["wder"] = diarized_word_errors(sample.said, heard.words)
    if sample.turns is not None:
        found["wrong_speaker"] = words_with_wrong_speaker(sample.turns, heard.words)
        found |= diarization_errors(sample.turns, heard.turns, sample.seconds, collar_s)
    return found


def word_errors(reference: str, heard: str) -> Count:
    """Return the fewest words to change, drop or add (WER), after Whisper's English normalisation."""
    return _edits(_normalised(reference), _normalised(heard))


def permuted_word_errors(said: Sequence[Said], words: Sequence[Word]) -> Count:
    """Return word errors where each speaker's words are compared apart, under the best naming (cpWER).

    Concatenated minimum-permutation WER (Watanabe et al. 2020): a speaker too many is all insertions, one too
    few all deletions. Words without a speaker are a speaker's too, so none is left out.
    """
    truth: defaultdict[str, list[str]] = defaultdict(list)
    for each in said:
        truth[each.speaker or ""].append(each.text)
    heard: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        heard[word.speaker or ""].append(word.text)
    texts = [_normalised(" ".join(text)) for text in truth.values()]
    others = [_normalised("".join(text)) for text in heard.values()]
    size = max(len(texts), len(others))
    texts += [""] * (size - len(texts))
    others += [""] * (size - len(others))
    costs = np.array([[_edits(one, other).wrong for other in others] for one in texts])
    return Count(_least(costs), sum(len(text.split()) for text in texts))


def diarized_word_errors(said: Sequence[Said], words: Sequence[Word]) -> Count:
    """Return, of the words that were recognised or mistaken, those with another speaker (WDER).

    Shafey et al. 2019: reference and heard words are aligned by text, without regard to speakers; times play
    no part. What was dropped or invented does not count. Under the best naming; no speaker is a wrong one.
    """
    truth = [(token, each.speaker) for each in said for token in _normalised(each.text).split()]
    heard = [
        (token, speaker)
        for speaker, run in groupby(words, key=lambda word: word.speaker)
        for token in _normalised("".join(word.text for word in run)).split()
    ]
    if not truth or not heard:
        return Count(0, 0)
    aligned = _jiwer().process_words(
        " ".join(token for token, _ in truth), " ".join(token for token, _ in heard)
    )
    pairs: defaultdict[tuple[str, str | None], float] = defaultdict(float)
    for chunk in aligned.alignments[0]:
        if chunk.type in ("equal", "substitute"):
            there = truth[chunk.ref_start_idx : chunk.ref_end_idx]
            here = heard[chunk.hyp_start_idx : chunk.hyp_end_idx]
            for (_, speaker), (_, named) in zip(there, here, strict=True):
                pairs[speaker or "", named] += 1
    return _misnamed(pairs)


def words_with_wrong_speaker(turns: Sequence[Turn], words: Iterable[Word]) -> Count:
    """Return, of the words in which one person alone speaks, those that were given to another.

    By seconds: it needs no reference words. Under the best naming; no speaker is a wrong one.
    """
    pairs: defaultdict[tuple[str, str | None], float] = defaultdict(float)
    for word in words:
        end = max(word.end, word.start + LEAST_S)
        speaking = {turn.speaker for turn in turns if turn.start < end and turn.end > word.start}
        if len(speaking) == 1:
            pairs[speaking.pop(), word.speaker] += 1
    return _misnamed(pairs)


def diarization_errors(
    turns: Sequence[Turn], heard: Sequence[Turn], seconds: float, collar_s: float
) -> dict[str, Count]:
    """Return DER and its parts with pyannote.metrics; `der_alone`: where at most one person speaks.

    `collar_s`: seconds around each boundary, half before and half after it, that do not count.
    """
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotated(spans: Sequence[Turn]) -> Any:
        annotation = Annotation()
        for number, turn in enumerate(spans):
            annotation[Segment(turn.start, turn.end), number] = turn.speaker
        return annotation

    reference, hypothesis = annotated(turns), annotated(heard)
    scored_s = Timeline([Segment(0, seconds)])
    parts, alone = (
        DiarizationErrorRate(collar=collar_s, skip_overlap=skip)(
            reference, hypothesis, uem=scored_s, detailed=True
        )
        for skip in (False, True)
    )
    total = float(parts["total"])
    found = {name: Count(float(parts[part]), total) for name, part in _PARTS.items()}
    return {
        "der": Count(sum(count.wrong for count in found.values()), total),
        "der_alone": Count(sum(float(alone[part]) for part in _PARTS.values()), float(alone["total"])),
        **found,
    }


def _misnamed(pairs: Mapping[tuple[str, str | None], float]) -> Count:
    """Return how many of the pairs (truth, given) are wrong, when each given name means its best truth."""
    truths = sorted({truth for truth, _ in pairs})
    given = sorted({name for _, name in pairs if name is not None})
    together = np.array([[pairs.get((truth, name), 0.0) for name in given] for truth in truths])
    total = sum(pairs.values())
    return Count(total + (_least(-together) if given else 0.0), total)


def _least(costs: np.ndarray[Any, Any]) -> float:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(costs)
    return float(costs[rows, columns].sum())


def _edits(reference: str, heard: str) -> Count:
    wanted = len(reference.split())
    if not wanted:
        return Count(len(heard.split()), 0)
    found = _jiwer().process_words(reference, heard)
    return Count(found.substitutions + found.deletions + found.insertions, wanted)


def _normalised(text: str) -> str:
    return re.sub(r"\s+", " ", _normaliser()(text)).strip()


@cache
def _normaliser() -> Callable[[str], str]:
    try:
        from whisper_normalizer.english import EnglishTextNormalizer
    except ImportError as error:
        raise _missing("whisper-normalizer") from error
    normaliser: Callable[[str], str] = EnglishTextNormalizer()
    return normaliser


@cache
def _jiwer() -> Any:
    try:
        import jiwer
    except ImportError as error:
        raise _missing("jiwer") from error
    return jiwer


def _missing(package: str) -> DataError:
    return DataError(
        f"{package} is not installed", 'install what development needs: "infra/bootstrap.py check"'
    )
