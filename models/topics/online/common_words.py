"""The commonest words of languages: said in nearly every talk, so they do not say what it is about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

ENGLISH = "en"
_PROOF = 3
"""Common words that prove a language."""
_TABLE = Path(__file__).with_name("common_words.txt")
_WORD = re.compile(r"[^\W\d_](?:[\w'-]*\w)?")
_NONE: frozenset[str] = frozenset()


def common_words(language: str) -> frozenset[str]:
    """Return the words of a language (ISO 639-1) that are expected twice in an hour of speech, in lower case.

    An empty language is taken to be English; of a language that the table does not have, there are none.

    >>> sorted(common_words("en") & {"open", "book", "server", "agent"})
    ['book', 'open']
    >>> "toujours" in common_words("fr-CA"), common_words("tlh")
    (True, frozenset())
    """
    return _table().get(language.partition("-")[0].lower() or ENGLISH, _NONE)


def without_common(words: Iterable[str], language: str) -> tuple[str, ...]:
    """Return the words that are not common in a language, in their order.

    >>> without_common(["open", "server", "having"], "en")
    ('server',)
    """
    common = common_words(language)
    return tuple(word for word in words if word not in common)


@lru_cache(maxsize=4096)
def language_of(text: str) -> str:
    """Return the language (ISO 639-1) that a text has most common words of; English unless it has few.

    A third of the words of an English text are common ones, even of an abstract, and a tenth of a German one
    are common in English. A talk may change its language, so each paragraph is asked for its own. Too few
    common words, as in a name, prove no language.

    >>> language_of("Wir haben das Modell noch nicht in der Produktion."), language_of("LLM evals")
    ('de', 'en')
    """
    words = _WORD.findall(text.lower().replace("’", "'"))
    english = sum(word in common_words(ENGLISH) for word in words)
    if 3 * english >= len(words):
        return ENGLISH
    said = Counter(language for word in words for language in _languages().get(word, ()))
    best = max(sorted(said), key=said.__getitem__, default=ENGLISH)
    return best if said[best] >= max(_PROOF, english + 1) else ENGLISH


def foreign_words(text: str) -> frozenset[str]:
    """Return the commonest words of a text's language; none for English, which has lists of its own.

    >>> "nicht" in foreign_words("Wir haben das Modell noch nicht in der Produktion.")
    True
    """
    language = language_of(text)
    return _NONE if language == ENGLISH else common_words(language)


@cache
def _table() -> dict[str, frozenset[str]]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    rows = (line.partition(" ") for line in lines if not line.startswith("#"))
    return {language: frozenset(words.split()) for language, _, words in rows}


@cache
def _languages() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for language, words in _table().items():
        for word in words:
            found.setdefault(word, []).append(language)
    return {word: tuple(sorted(languages)) for word, languages in found.items()}
