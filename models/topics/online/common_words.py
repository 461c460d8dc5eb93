"""The commonest words of languages: said in nearly every talk, so they do not say what it is about."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("common_words.txt")


def common_words(language: str) -> frozenset[str]:
    """Return the words of a language (ISO 639-1) that are expected twice in an hour of speech, in lower case.

    An empty language is taken to be English; of a language that the table does not have, there are none.

    >>> sorted(common_words("en") & {"open", "book", "server", "agent"})
    ['book', 'open']
    >>> "toujours" in common_words("fr-CA"), common_words("tlh")
    (True, frozenset())
    """
    return _table().get(language.partition("-")[0].lower() or "en", frozenset())


def without_common(words: Iterable[str], language: str) -> tuple[str, ...]:
    """Return the words that are not common in a language, in their order.

    >>> without_common(["open", "server", "having"], "en")
    ('server',)
    """
    common = common_words(language)
    return tuple(word for word in words if word not in common)


@cache
def _table() -> dict[str, frozenset[str]]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    rows = (line.partition(" ") for line in lines if not line.startswith("#"))
    return {language: frozenset(words.split()) for language, _, words in rows}
