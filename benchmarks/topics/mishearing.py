"""Text as a speech recogniser would have written it: names and rare words go wrong first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np

from models.topics.bursts.terms import NAME

WORD = re.compile(r"[^\W_][\w'’.+#-]*")
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[A-Z]")
RARE = 0.005
"""A word that fewer of the texts have than this share is rare."""
HIT = {"name": 5.0, "rare": 2.5, "common": 1.0}
"""How many times as often a word goes wrong as a common one."""
FIGURES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGITS = {str(figure): word for figure, word in enumerate(FIGURES)}
SOUNDS = (
    ("ph", "f"),
    ("ck", "k"),
    ("qu", "kw"),
    ("x", "ks"),
    ("c", "k"),
    ("y", "ie"),
    ("z", "s"),
    ("oo", "u"),
)
CODES = {
    letter: code
    for code, letters in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), 1)
    for letter in letters
}


class Mishearing:
    """Word errors of a rate: half of them confusions, a third drops, the rest a word cut in two or doubled.

    A name is mostly cut at its capitals and figures ("LangChain", "lang chain"; "GPT4", "gpt four") or
    spelled as it sounds; a plain word becomes a word of the texts that sounds like it (same Soundex code).
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._frequency: Counter[str] = Counter()
        count = 0
        for text in texts:
            count += 1
            self._frequency.update({word.lower() for word in WORD.findall(text)})
        self._rare = max(RARE * count, 2)
        self._alike: dict[str, list[str]] = {}
        for word in sorted(self._frequency):
            if self._frequency[word] > 1 and word.isalpha():
                self._alike.setdefault(soundex(word), []).append(word)

    def kind(self, word: str) -> str:
        """`name`, `rare` or `common`."""
        if NAME.match(word):
            return "name"
        return "rare" if self._frequency[word.lower()] < self._rare else "common"

    def hear(self, text: str, rate: float, chance: np.random.Generator) -> tuple[str, int, int]:
        """The text with errors in about `rate` of its words; how many words it had, how many went wrong."""
        words = WORD.findall(text)
        weights = np.array([HIT[self.kind(word)] for word in words])
        odds = np.minimum(rate * weights / weights.mean(), 0.9) if len(words) else weights
        wrong = iter((chance.random(len(words)) < odds).tolist())
        errors = 0

        def heard(match: re.Match[str]) -> str:
            nonlocal errors
            if not next(wrong):
                return match[0]
            errors += 1
            return self._misheard(match[0], chance)

        return WORD.sub(heard, text), len(words), errors

    def _misheard(self, word: str, chance: np.random.Generator) -> str:
        name = self.kind(word) == "name"
        draw = chance.random()
        if draw < (0.15 if name else 0.33):
            return ""
        parts = [part.lower() for part in PARTS.findall(word)]
        if name and len(parts) > 1 and draw < 0.65:
            return " ".join(DIGITS.get(part, part) for part in parts)
        if draw < 0.85:
            others = [each for each in self._alike.get(soundex(word), []) if each != word.lower()]
            return others[int(chance.integers(len(others)))] if others else as_it_sounds(word)
        cut = len(word) // 2
        return f"{word[:cut]} {word[cut:]}".lower() if cut > 1 else f"{word} {word}"


def as_it_sounds(word: str) -> str:
    """A word spelled by ear.

    >>> as_it_sounds("Zephyr"), as_it_sounds("Qdrant")
    ('sefier', 'kdrant')
    """
    heard = word.lower().replace("qd", "kd")
    for written, sound in SOUNDS:
        heard = heard.replace(written, sound)
    return heard


def soundex(word: str) -> str:
    """The word's Soundex code (Russell 1918): words that sound alike share it.

    >>> soundex("Robert"), soundex("rupert")
    ('r163', 'r163')
    """
    letters = [letter for letter in word.lower() if letter.isalpha()]
    if not letters:
        return word
    codes, last = "", CODES.get(letters[0], 0)
    for letter in letters[1:]:
        code = CODES.get(letter, 0)
        if code and code != last:
            codes += str(code)
        if letter not in "hw":
            last = code
    return letters[0] + (codes + "000")[:3]
