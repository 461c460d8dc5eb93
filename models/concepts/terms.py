"""Terms of concepts: words and phrases, counted in a text in one pass over its words."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

_WORD = re.compile(r"[^\W_]+")
_REMEMBERED = 200_000
"""Different words whose terms are remembered at a time."""
_LONGEST_SINGULAR = 3
"""Words up to this length keep an s at their end, such as "gas" and "aws"."""


class TermIndex:
    """Counts the terms of several groups in texts.

    A term is a word or a phrase. Case, hyphens and a plural s do not matter; a `*` at the end of a word
    stands for any ending, so that `evaluat*` counts "evaluation" and "evaluated". A phrase counts where its
    words follow each other.

    Args:
        groups: the terms of each group; a term may be in several.

    Attributes:
        terms: all different terms, sorted.
        of_group: bool [groups, terms], whether a group has a term.
        words: int64 [terms], number of words of each term.

    Example:
        >>> index = TermIndex([["vector database", "chunk*"], ["fine-tun*"]])
        >>> index.terms
        ('chunk*', 'fine-tun*', 'vector database')
        >>> index.count("Chunking before vector databases; vector-database chunks.").tolist()
        [2, 0, 2]
    """

    def __init__(self, groups: Sequence[Sequence[str]]) -> None:
        self.terms = tuple(sorted({term for group in groups for term in group}))
        self._patterns = [_pattern(term) for term in self.terms]
        self.of_group = np.array([[term in group for term in self.terms] for group in groups], np.bool_)
        self.of_group = self.of_group.reshape(len(groups), len(self.terms))
        self.words = np.array([len(pattern) for pattern in self._patterns], np.int64)
        self._exact: dict[str, list[int]] = {}
        self._prefixes: dict[str, list[int]] = {}
        for term, pattern in enumerate(self._patterns):
            if pattern:
                word, open_ended = pattern[0]
                (self._prefixes if open_ended else self._exact).setdefault(word, []).append(term)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})
        self._begin: dict[str, tuple[int, ...]] = {}

    def count(self, text: str) -> Counts:
        """Return how often each term occurs, int64 [terms]."""
        found = np.zeros(len(self.terms), np.int64)
        words = words_of(text)
        for at, word in enumerate(words):
            for term in self._beginning_with(word):
                if self._follows(words, at, term):
                    found[term] += 1
        return found

    def _beginning_with(self, word: str) -> tuple[int, ...]:
        """Return the terms whose first word is this one; remembered, since texts repeat their words."""
        known = self._begin.get(word)
        if known is None:
            prefixed = [term for size in self._lengths for term in self._prefixes.get(word[:size], ())]
            if len(self._begin) >= _REMEMBERED:
                self._begin.clear()
            known = (*self._exact.get(_singular(word), ()), *dict.fromkeys(prefixed))
            self._begin[word] = known
        return known

    def _follows(self, words: Sequence[str], at: int, term: int) -> bool:
        pattern = self._patterns[term]
        if at + len(pattern) > len(words):
            return False
        return all(
            word.startswith(wanted) if open_ended else _singular(word) == wanted
            for (wanted, open_ended), word in zip(pattern[1:], words[at + 1 : at + len(pattern)], strict=True)
        )


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case; hyphens and apostrophes divide words."""
    return _WORD.findall(text.casefold())


def _pattern(term: str) -> tuple[tuple[str, bool], ...]:
    """Return a term's words, and whether each may have another ending."""
    found = []
    for match in _WORD.finditer(folded := term.casefold()):
        open_ended = folded[match.end() : match.end() + 1] == "*"
        found.append((match.group() if open_ended else _singular(match.group()), open_ended))
    return tuple(found)


def _singular(word: str) -> str:
    plural = len(word) > _LONGEST_SINGULAR and word.endswith("s") and not word.endswith("ss")
    return word[:-1] if plural else word
