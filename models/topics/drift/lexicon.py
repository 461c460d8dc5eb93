"""Numbering of words, limited to the words in use."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SLACK = 16_384
"""Words beyond twice those in use at the last compaction that a lexicon may have."""


class Lexicon:
    """Numbers for words, in order of arrival.

    Attributes:
        words: the word of each number.
        full_at: number of words at which to `compact`.
    """

    def __init__(self, words: Iterable[str] = (), full_at: int = SLACK) -> None:
        self.words = list(words)
        self.full_at = full_at
        self._numbers = {word: number for number, word in enumerate(self.words)}

    def numbers(self, words: Iterable[str]) -> NDArray[np.int32]:
        """Return the words' numbers; new words get the next ones."""
        known, given = self._numbers, []
        for word in words:
            number = known.setdefault(word, len(known))
            if number == len(self.words):
                self.words.append(word)
            given.append(number)
        return np.array(given, np.int32)

    def compact(self, used: NDArray[np.int32]) -> NDArray[np.int32]:
        """Forget all words without a number in `used`; the order stays.

        Returns:
            int32 [len(words) before]: the new number of each old one, -1 for forgotten words.
        """
        kept = np.unique(used)
        renumbered = np.full(len(self.words), -1, np.int32)
        renumbered[kept] = np.arange(len(kept), dtype=np.int32)
        words = [self.words[number] for number in kept]
        self.__init__(words, 2 * len(words) + SLACK)  # type: ignore[misc]
        return renumbered
