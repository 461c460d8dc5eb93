"""Detection of hallucinated words: Whisper completes text where it cannot hear: in silence, music or noise.

No utterance is dropped for its words alone or for low confidence alone: real speech can be as unclear, and
people do say "no, no, no" and "thank you". It takes one of Whisper's own signs of failure, or two other signs
from different sources: the recogniser's confidence, its times, the sound itself, the text.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from models.transcripts.transcript import Word

REPETITIVE = 2.4
"""Text that gzip shrinks by more than this factor is a loop, not speech (Whisper paper, section 4.5)."""
UNSURE = -1.0
"""Mean log-probability below which a decoding has failed (same section)."""
SILENT = 0.6
"""Probability of no speech above which a low-confidence decoding is of silence (same section)."""
GARBLED, GARBLED_WORDS = -1.5, 4
"""Mean log-probability below which this many words are a guess. Whisper base had -1.25 at worst for sentences
in white noise 5 dB louder than they were, and -1.6 to -6 for a call played backwards."""
FASTEST, FASTEST_WORDS = 11.0, 5
"""Words per second that nobody reaches: the record for intelligible speech is 655 words a minute (Guinness,
1995). The times of fewer words are too coarse for a rate."""
INSTANT = 0.5
"""Share of words of zero length above which the words were not found in the sound."""
VOICELESS = 0.35
"""Highest speech probability below which nobody speaks: Silero itself calls that silence."""
FOREIGN = 0.5
"""Probability below which the language of the recording is not known (faster-whisper's own threshold).
Whisper base had 0.6 for speech in noise that is 5 dB louder, and 0.2 to 0.4 for hums and a call played
backwards."""
QUIET_DB = -30.0
"""Level relative to the talk's speech: all of speech is within 30 dB (ANSI S3.5, section 4.2)."""
LOOPS = {1: (8, 16)}
"""By phrase length in words: repetitions in a row that are suspicious, and that nobody says."""
LOOP, LONGEST = (4, 6), 12
"""The same for longer phrases, and the maximum phrase length in words."""
_ENDS = re.compile(r"[.?!…。？！][\"'”’)\]]*$")
_BARE = re.compile(r"[\W_]+")

PHANTOMS = frozenset(
    _BARE.sub("", text.casefold())
    for text in (
        "you", "bye", "bye bye", "thank you", "thank you very much", "thank you so much", "thanks",
        "thank you for watching", "thanks for watching", "thank you so much for watching",
        "thank you for watching and see you in the next video", "thanks for watching and see you next time",
        "thank you for listening", "please subscribe", "subscribe", "please subscribe to my channel",
        "don't forget to like and subscribe", "like and subscribe", "see you next time", "see you next week",
        "see you in the next video", "i'll see you in the next video", "i will see you in the next video",
        "i'll see you next time", "i'm sorry", "so", "oh", "okay", "the end", "to be continued", "silence",
        "music", "applause", "subtitles by the amara.org community", "subtitles by steamteamextra",
        "transcription by castingwords", "transcribed by otter.ai", "translated by", "copyright wdr 2021",
        "untertitel der amara.org-community", "untertitel im auftrag des zdf für funk, 2017",
        "untertitelung des zdf, 2020", "vielen dank", "vielen dank fürs zuschauen",
        "sous-titres réalisés par la communauté d'amara.org", "merci d'avoir regardé cette vidéo",
        "subtítulos realizados por la comunidad de amara.org", "gracias por ver el video",
        "sottotitoli creati dalla comunità amara.org", "legendas pela comunidade amara.org",
        "ご視聴ありがとうございました", "ありがとうございました", "字幕由amara.org社区提供", "谢谢观看",
        "谢谢", "продолжение следует", "спасибо за просмотр", "시청해주셔서 감사합니다",
    )
)  # fmt: skip
"""Sentences that Whisper learned from subtitles and writes where nobody speaks (Koenecke et al. 2024;
Barański et al. 2025, whose list is longer). People say most of them too: never a reason on their own."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A sentence, or the part of it in one passage.

    Attributes:
        text: the recogniser's text; the words joined, if there are words.
        start, end: seconds.
        words: with times and probabilities; empty if the model gave none.
        log_probability: mean per token, of the window of up to 30 s that it was decoded in.
        no_speech: probability that this window has no speech, from its first token.
        voice: highest probability of the voice activity detector within it, in [0, 1].
        level_db: its loudest moment, relative to the level of the talk's speech.
        passage: number of its passage.
        around: confidence of that passage, since one or two words alone say little.
    """

    text: str
    start: float
    end: float
    words: tuple[Word, ...]
    log_probability: float
    no_speech: float
    voice: float = 1.0
    level_db: float = 0.0
    passage: int = 0
    around: float = 0.0

    @property
    def sureness(self) -> float:
        """Mean log-probability of its own words; that of its window if they have none."""
        return sureness_of(self.words, self.log_probability)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on an utterance: the reason to drop it (empty: keep it), or some of its words.

    `loops` has the number of the first dropped word, that after the last, and the reason.
    """

    reason: str = ""
    loops: tuple[tuple[int, int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """A phrase said `times` in a row; `begin`: number of its first word, `size`: words of the phrase."""

    begin: int
    size: int
    times: int

    @property
    def end(self) -> int:
        """Number of the word after the loop; an unfinished repetition at the end is not part of it."""
        return self.begin + self.size * self.times


def judge(
    utterances: Sequence[Utterance], prompted: frozenset[str] = frozenset(), known: Sequence[str] = ()
) -> list[Verdict]:
    """Judge which utterances or words are hallucinated.

    Loops are found across neighbouring utterances too; a loop keeps its phrase once and loses the
    repetitions.

    Args:
        utterances: in spoken order.
        prompted: words in the recogniser's hints, as `bare` normalises them.
        known: signs that hold for all utterances.

    Returns:
        One verdict per utterance, in the same order.
    """
    flat = [(number, at) for number, utterance in enumerate(utterances) for at in range(len(utterance.words))]
    words = [utterances[number].words[at] for number, at in flat]
    loops: list[list[tuple[int, int, str]]] = [[] for _ in utterances]
    repeated: list[set[int]] = [set() for _ in utterances]
    for loop in find_loops([bare(word.text) for word in words]):
        cut = range(loop.begin + loop.size, loop.end)
        for index in cut:
            repeated[flat[index][0]].add(flat[index][1])
        touched = [utterances[number] for number in sorted({flat[index][0] for index in cut})]
        if (why := _disbelieved(loop, [words[index] for index in cut], touched, known)) is not None:
            for number in sorted({flat[index][0] for index in cut}):
                inside = [flat[index][1] for index in cut if flat[index][0] == number]
                loops[number].append((inside[0], inside[-1] + 1, why))
    return [
        Verdict(_reason(utterance, repeated[number], prompted, known), tuple(sorted(loops[number])))
        for number, utterance in enumerate(utterances)
    ]


def sureness_of(words: Sequence[Word], otherwise: float) -> float:
    """Return the mean log-probability of words; `otherwise` if none has a probability."""
    sure = [word.probability for word in words if word.probability is not None]
    if not sure:
        return otherwise
    return sum(math.log(max(probability, 1e-6)) for probability in sure) / len(sure)


def bare(text: str) -> str:
    """Return a word normalised for comparison: only letters and digits, case-folded."""
    return _BARE.sub("", text.casefold())


def compression(text: str) -> float:
    """Return the factor by which gzip shrinks a text."""
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded)) if encoded else 0.0


def cut_at_sentences(words: Sequence[Word]) -> list[tuple[Word, ...]]:
    """Return words grouped by sentence.

    Pauses are no boundaries: the first word of a sentence is often timed too early, and would be on its own
    in silence.
    """
    cut: list[tuple[Word, ...]] = []
    begin = 0
    for number, word in enumerate(words, 1):
        if number == len(words) or _ENDS.search(word.text.strip()):
            cut.append(tuple(words[begin:number]))
            begin = number
    return cut


def find_loops(words: Sequence[str]) -> list[Loop]:
    """Find phrases that are repeated suspiciously often in a row; the shortest phrase of each.

    >>> find_loops("and so the model the model the model the model the model is".split())
    [Loop(begin=2, size=2, times=5)]
    >>> find_loops("that is very very very good".split())
    []
    """
    found: list[Loop] = []
    taken = [False] * len(words)
    for size in range(1, LONGEST + 1):
        least = LOOPS.get(size, LOOP)[0]
        same = 0
        for at in range(size, len(words) + 1):
            if at < len(words) and words[at] and words[at] == words[at - size] and not taken[at]:
                same += 1
                continue
            times, begin = same // size + 1, at - same - size
            if times >= least and not any(taken[begin:at]):
                found.append(Loop(begin, size, times))
                taken[begin:at] = [True] * (at - begin)
            same = 0
    return sorted(found, key=lambda loop: loop.begin)


def _disbelieved(
    loop: Loop, words: Sequence[Word], utterances: Sequence[Utterance], known: Sequence[str]
) -> str | None:
    """Return why the repetitions of a phrase are rejected; None: people do repeat themselves."""
    never = LOOPS.get(loop.size, LOOP)[1]
    text = "".join(word.text for word in words)
    signs = [sign for utterance in utterances for sign in (*_in_sound(utterance), *_in_confidence(utterance))]
    signs += (*_in_times(words), *known)
    if not (signs or (loop.times >= never and compression(text) > REPETITIVE)):
        return None
    phrase = "a word" if loop.size == 1 else f"a phrase of {loop.size} words"
    return "; ".join(dict.fromkeys((f"{phrase} {loop.times} times in a row", *signs)))


def _reason(utterance: Utterance, repeated: set[int], prompted: frozenset[str], known: Sequence[str]) -> str:
    """Return why an utterance is rejected, or an empty string. `repeated` words are judged elsewhere."""
    once = [word.text for number, word in enumerate(utterance.words) if number not in repeated]
    failed = []
    if not bare(utterance.text):
        failed.append("no word in it")
    if compression("".join(once) if utterance.words else utterance.text) > REPETITIVE:
        failed.append("repetitive")
    if utterance.no_speech > SILENT and utterance.log_probability < UNSURE:
        failed.append("taken for silence by the recogniser itself")
    if utterance.sureness < GARBLED and len(utterance.words) >= GARBLED_WORDS:
        failed.append("a guess")
    signs = [sign for kind in _signs(utterance, prompted) for sign in kind]
    signs += known
    return "; ".join((*failed, *signs)) if failed or len(signs) > 1 else ""


def _signs(utterance: Utterance, prompted: frozenset[str]) -> tuple[list[str], ...]:
    return (
        _in_confidence(utterance),
        _in_times(utterance.words),
        _in_sound(utterance),
        _in_text(utterance, prompted),
    )


def _in_confidence(utterance: Utterance) -> list[str]:
    few = len(utterance.words) < GARBLED_WORDS
    sureness = min(utterance.sureness, utterance.around) if few else utterance.sureness
    return ["unsure"] if sureness < UNSURE else []


def _in_times(words: Sequence[Word]) -> list[str]:
    """Return at most one sign: words of zero length also make a rate impossible."""
    if len(words) < FASTEST_WORDS:
        return []
    if sum(word.duration_s <= 0 for word in words) > INSTANT * len(words):
        return ["words without any length"]
    lasts_s = max(word.end for word in words) - min(word.start for word in words)
    return ["faster than anybody speaks"] if len(words) > FASTEST * lasts_s else []


def _in_sound(utterance: Utterance) -> list[str]:
    signs = []
    if utterance.voice < VOICELESS:
        signs.append("no voice there")
    if utterance.level_db < QUIET_DB:
        signs.append("next to silence there")
    return signs


def _in_text(utterance: Utterance, prompted: frozenset[str]) -> list[str]:
    if bare(utterance.text) in PHANTOMS:
        return ["a sentence that is often invented"]
    said = [word for text in utterance.text.split() if (word := bare(text))]
    if len(said) > 1 and prompted.issuperset(said):
        return ["only words from the hints"]
    return []
