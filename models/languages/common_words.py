"""The commonest words of languages: said in nearly every talk, so they do not say what it is about."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

from models.languages.identification import identify

ENGLISH = "en"
_CODES = {"no": "nb", "nn": "nb", "hr": "sh", "sr": "sh", "bs": "sh", "tl": "fil"}
"""Codes of languages that the table has under another."""
_ENOUGH = 400
"""Characters that show the language of a paragraph."""
_TABLE = Path(__file__).with_name("common_words.txt")
_NONE: frozenset[str] = frozenset()


def common_words(language: str) -> frozenset[str]:
    """Return the words of a language (ISO 639-1) that are expected twice in an hour of speech, in lower case.

    An empty language is taken to be English; of a language that the table does not have, there are none.

    >>> sorted(common_words("en") & {"open", "book", "server", "agent"})
    ['book', 'open']
    >>> "toujours" in common_words("fr-CA"), common_words("tlh")
    (True, frozenset())
    """
    code = language.partition("-")[0].lower() or ENGLISH
    return _table().get(_CODES.get(code, code), _NONE)


def without_common(words: Iterable[str], language: str) -> tuple[str, ...]:
    """Return the words that are not common in a language, in their order.

    >>> without_common(["open", "server", "having"], "en")
    ('server',)
    """
    common = common_words(language)
    return tuple(word for word in words if word not in common)


def foreign_words(text: str) -> frozenset[str]:
    """Return the commonest words of a paragraph's language; none for English, which has lists of its own.

    A talk may change its language, so each paragraph is asked for its own.

    >>> "nicht" in foreign_words("Wir haben das Modell noch nicht in der Produktion.")
    True
    >>> foreign_words("Modell"), foreign_words("We have no model in production so far.")
    (frozenset(), frozenset())
    """
    language = _language(text[:_ENOUGH])
    return _NONE if language in (None, ENGLISH) else common_words(language)


@lru_cache(maxsize=4096)
def _language(text: str) -> str | None:
    return identify(text)[0]


@cache
def _table() -> dict[str, frozenset[str]]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    rows = (line.partition(" ") for line in lines if not line.startswith("#"))
    return {language: frozenset(words.split()) for language, _, words in rows}
