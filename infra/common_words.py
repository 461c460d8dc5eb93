"""Writes models/languages/common_words.txt: the commonest words of many languages.

uv run --no-project --with wordfreq==3.1.1 infra/common_words.py

wordfreq counts words in books, subtitles, news, encyclopedias and the web. An hour of speech has some 9,000
words; a word is common if it is expected twice in them. Chinese, Japanese and Korean, whose words are not
separated by spaces, need further packages and are left out.
"""

from __future__ import annotations

import re
from pathlib import Path

import wordfreq

WORDS_OF_AN_HOUR = 9000
EXPECTED = 2
WORD = re.compile(r"[^\W\d_](?:[\w.'-]*\w)")
OUT = Path(__file__).parents[1] / "models" / "languages" / "common_words.txt"
HEADER = """\
# The commonest words of languages, a line for each: code (ISO 639), then the words, sorted.
# Made by infra/common_words.py from wordfreq 3.1.1 (Robyn Speer, https://github.com/rspeer/wordfreq).
# The data of wordfreq is licensed CC BY-SA 4.0 ; so is this file:
# https://creativecommons.org/licenses/by-sa/4.0/
"""


def common(language: str) -> list[str]:
    """Return the words of a language that are expected twice in an hour of speech."""
    found = []
    for word, frequency in wordfreq.get_frequency_dict(language, wordlist="small").items():
        if frequency * WORDS_OF_AN_HOUR >= EXPECTED and WORD.fullmatch(word):
            found.append(word)
    return sorted(found)


def main() -> None:
    """Write the file."""
    lines = [
        f"{language} {' '.join(common(language))}\n"
        for language in sorted(wordfreq.available_languages("small"))
        if language not in {"ja", "ko", "zh"}
    ]
    OUT.write_text(HEADER + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
