"""Text of a search: its words, the forms of each, and what is quoted."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from streams.store.talks.word_forms import Term, expand
from streams.store.warehouse import Warehouse, array

WORDS = (
    "replaceRegexpAll(replaceRegexpAll(lowerUTF8({of}), '[^\\\\pL\\\\pN\\\\pM]+', ' '), "
    "'([\\\\p{{Han}}\\\\p{{Hiragana}}\\\\p{{Katakana}}])', ' \\\\1 ')"
)
"""The words of a text, separated by blanks: the expression that the index is built on. SQL."""
TOKENS = f"tokens({WORDS}, 'splitByNonAlpha')"
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002fa1f]")
"""Characters that the index holds one by one, so that the text itself shows which of them are adjacent."""
_QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Asked:
    """What a search asks for.

    Attributes:
        terms: one for each token of the text, quoted ones included.
        phrases: the tokens of each quoted text.
        names: for each word or quoted text, the texts of which a topic or talk has one; in lower case.
        together: words of unspaced scripts, whose characters are adjacent.
    """

    terms: tuple[Term, ...]
    phrases: tuple[tuple[str, ...], ...]
    names: tuple[tuple[str, ...], ...]
    together: tuple[str, ...]


def asked_for(warehouse: Warehouse, text: str, *, correct: bool = True) -> Asked:
    """Return what a text asks for: words, and words in double quotes, which match as written and adjacent.

    `correct`: whether a word that no paragraph has stands for the nearest spelling.
    """
    quoted = [phrase.strip() for phrase in _QUOTED.findall(text) if phrase.strip()]
    words = _QUOTED.sub(" ", text).split()
    of_words, of_quoted = _tokens(warehouse, words), _tokens(warehouse, quoted)
    free = dict.fromkeys(token for tokens in of_words for token in tokens)
    as_written = sorted({token for tokens in of_quoted for token in tokens} - free.keys())
    terms = {term.word: term for term in expand(warehouse, [*free, *as_written], as_written, correct=correct)}

    def forms(word: str, tokens: Sequence[str]) -> tuple[str, ...]:
        """Return the forms of a word that is one token; others, such as `C++`, have none."""
        folded = word.casefold()
        return tuple({folded, *terms[folded].forms}) if list(tokens) == [folded] else (folded,)

    return Asked(
        terms=tuple(terms.values()),
        phrases=tuple(tuple(tokens) for tokens in of_quoted if tokens),
        names=(
            *(forms(word, tokens) for word, tokens in zip(words, of_words, strict=True)),
            *((phrase.casefold(),) for phrase in quoted),
        ),
        together=tuple(word for word in (*words, *quoted) if _UNSPACED.search(word)),
    )


def _tokens(warehouse: Warehouse, texts: Sequence[str]) -> list[list[str]]:
    """Return the tokens of each text, as the index has them."""
    if not texts:
        return []
    each = array("texts")
    rows = warehouse.rows(
        f"SELECT arrayMap(each -> arrayDistinct({TOKENS.format(of='each')}), {each}) AS tokens",
        texts=json.dumps(list(texts)),
    )
    return [list(tokens) for tokens in rows[0]["tokens"]]
