"""Forms of words that the paragraphs have, by their stems, and the nearest spellings of unknown words.

The dictionary of the paragraphs' text index (migration 0007) is the vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streams.store.warehouse import Warehouse

STEMMERS = {
    **{"ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "cs": "czech", "da": "danish"},
    **{"nl": "dutch", "en": "english", "et": "estonian", "fi": "finnish", "fr": "french", "de": "german"},
    **{"el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "ga": "irish", "it": "italian"},
    **{"lt": "lithuanian", "ne": "nepali", "no": "norwegian", "fa": "persian", "pl": "polish"},
    **{"pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "es": "spanish"},
    **{"sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish"},
}
"""Snowball's stemmer of each language (ISO 639-1). Words of other languages have only the form as written."""
LANGUAGES = 3
"""The most common languages of a study's talks whose forms are looked for."""
CANDIDATES = 200
"""The most words with the same beginning, the most frequent first, whose stems are compared."""
LONGER = 6
"""Characters that a form can be longer than the word that was asked for."""
SPELLED = ((8, 2), (4, 1))
"""Edits (insertions, deletions, replacements, transpositions) that a misspelled word of so many characters
may have; shorter words are not corrected."""
Stem = Callable[[str], str]
"""Returns the stem of a word."""

_VOCABULARY = """
    SELECT token, sum(cardinality) AS n FROM mergeTreeTextIndex(currentDatabase(), 'paragraphs', 'words')
    WHERE {wanted} GROUP BY token
"""


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a search.

    Attributes:
        word: as it was asked for, in lower case.
        forms: the words that match, those of the vocabulary with the same stem; the word itself at least.
        weight: inverse document frequency of its forms together, as in BM25.
        corrected: whether the forms are those of the nearest spelling, because nobody says the word.
    """

    word: str
    forms: tuple[str, ...]
    weight: float
    corrected: bool = False


def expand(
    warehouse: Warehouse, words: Sequence[str], exact: Sequence[str] = (), *, correct: bool = True
) -> list[Term]:
    """Return the terms of words, in their order.

    Args:
        warehouse: the study.
        words: tokens of the text index.
        exact: those of them whose other forms and spellings do not match.
        correct: whether an unknown word stands for the nearest spelling.
    """
    if not words:
        return []
    import snowballstemmer  # thirty languages: a tenth of a second that no other command needs

    stems = [snowballstemmer.stemmer(name).stemWord for name in _stemmers(warehouse)]
    of = warehouse.rows("SELECT count() AS n FROM paragraphs")[0]["n"]
    return [_term(warehouse, word, stems, of, as_written=word in exact, correct=correct) for word in words]


def _term(
    warehouse: Warehouse,
    word: str,
    stems: Sequence[Stem],
    of: int,
    *,
    as_written: bool,
    correct: bool,
) -> Term:
    if as_written or not word.isalpha() or len(word) < 2:  # a version, or a sign of an unspaced script
        known = _known(warehouse, [word])
        return Term(word, (word,), _weight(known.get(word, 0), of))
    if found := _forms(warehouse, word, stems):
        return Term(word, tuple(sorted({word, *found})), _weight(sum(found.values()), of))
    nearest = _nearest(warehouse, word) if correct else None
    if nearest is None:
        return Term(word, (word,), _weight(0, of))
    found = _forms(warehouse, nearest, stems)
    forms = (nearest, *sorted(found.keys() - {nearest}))
    return Term(word, forms, _weight(sum(found.values()), of), corrected=True)


def _forms(warehouse: Warehouse, word: str, stems: Sequence[Stem]) -> dict[str, int]:
    """Return the words of the vocabulary that share a stem with one, and how many paragraphs have each."""
    found = _known(warehouse, [word])
    for stem_of in stems:
        stem = stem_of(word)
        begins = stem[: max(2, len(stem) - 1)]
        candidates = warehouse.rows(
            _VOCABULARY.format(
                wanted="startsWith(token, {begins:String}) AND lengthUTF8(token) <= {longest:UInt32}"
            )
            + f" ORDER BY n DESC, token LIMIT {CANDIDATES}",
            begins=begins,
            longest=len(word) + LONGER,
        )
        found |= {row["token"]: row["n"] for row in candidates if stem_of(row["token"]) == stem}
    return found


def _nearest(warehouse: Warehouse, word: str) -> str | None:
    """Return the most frequent of the words with the fewest edits; None if every word needs too many."""
    edits = next((edits for length, edits in SPELLED if len(word) >= length), 0)
    if not edits:
        return None
    rows = warehouse.rows(
        _VOCABULARY.format(
            wanted="abs(toInt32(lengthUTF8(token)) - {length:Int32}) <= {edits:Int32} "
            "AND damerauLevenshteinDistance(token, {word:String}) <= {edits:Int32}"
        )
        + " ORDER BY damerauLevenshteinDistance(token, {word:String}), n DESC, token LIMIT 1",
        word=word,
        length=len(word),
        edits=edits,
    )
    return rows[0]["token"] if rows else None


def _known(warehouse: Warehouse, words: Sequence[str]) -> dict[str, int]:
    rows = warehouse.rows(_VOCABULARY.format(wanted="has({words:Array(String)}, token)"), words=list(words))
    return {row["token"]: row["n"] for row in rows}


def _stemmers(warehouse: Warehouse) -> list[str]:
    """Return the stemmers of the study's most common languages; a study without any is taken for English."""
    rows = warehouse.rows(
        f"""
        SELECT language FROM transcripts WHERE has({{known:Array(String)}}, language)
        GROUP BY language ORDER BY count() DESC, language LIMIT {LANGUAGES}
        """,
        known=list(STEMMERS),
    )
    return [STEMMERS[row["language"]] for row in rows] or [STEMMERS["en"]]


def _weight(paragraphs: int, of: int) -> float:
    """Return the inverse document frequency of a term in so many of all paragraphs (BM25, never negative).

    Source: Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009.
    """
    return math.log1p((of - min(paragraphs, of) + 0.5) / (min(paragraphs, of) + 0.5))
