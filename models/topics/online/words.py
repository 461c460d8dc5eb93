"""Content words of a paragraph: those that indicate its subject."""

import re
from functools import lru_cache

from models.languages.common_words import foreign_words

TOKEN = re.compile(r"[^\W\d_](?:[\w.'-]*\w[+#]*|[+#]+)")
"""A word begins with a letter and has two characters or more: `don't`, `fine-tuning`, `gpt-4o`, `c++`."""

CONTRACTION = re.compile(
    r"(?:i|you|he|she|it|we|they|that|there|here|what|who|how|where|when|let|this|(?:every|no|some)(?:body|one|thing))"
    r"'(?:s|m|re|ve|ll|d)|\w+n't"
)

_FILLERS = """
actually ago almost anybody anyone anything anyway basically bit certain certainly come comes coming
course day days definitely different doing eh end er everybody everyone everything exactly feel feels
fine gave gets getting give gives going gone gonna good got gotta great guess guy guys happen happened
happens hear heard hello help hey hi hm hmm honest honestly idea interesting just kind kinda knew know
known knows laughs laughter let lets like likely little long look looked looking looks lot lots make
makes making maybe mean means mm mostly need needed needs new nice nobody number obviously oh ok okay
old people person piece place please point pretty probably put question questions quite read real really
reason right said saw say saying says second see seen set sort speak start started stuff super sure take
taken takes talk talked talking tell tells thank thanks thing things think thinking thought time times
today told took totally tried try trying turn uh um use used uses using very wait wanna want wanted
wants way ways week weeks went whatever word work worked working works wow yeah year years yep yes
"""

FILLERS = frozenset(_FILLERS.split())
"""Words that are frequent in talks and say nothing about their subject."""


def content_words(text: str) -> list[str]:
    """Return the text's words in order, in lower case, without stop words, fillers and contractions.

    The stop words are scikit-learn's English ones and, in another language, its commonest words.

    >>> content_words("So yeah, we're fine-tuning the model in C++ and it doesn't fit.")
    ['fine-tuning', 'model', 'c++', 'fit']
    >>> content_words("Wir haben das Modell noch nicht in der Produktion.")
    ['modell', 'produktion']
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    foreign = foreign_words(text)
    return [
        word
        for word in TOKEN.findall(text.lower().replace("’", "'"))
        if not (
            word in FILLERS or word in ENGLISH_STOP_WORDS or word in foreign or CONTRACTION.fullmatch(word)
        )
    ]


@lru_cache(maxsize=50_000)
def stem_of(word: str) -> str:
    """Return a word's form without capitals, hyphens, and the endings of the English plural and genitive."""
    word = word.lower().replace("-", "").replace("’", "'").removesuffix("'s")
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] != "s" else word
