"""The words that describe topics."""

import pytest

from models.topics.online.words import content_words


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("So, yeah, you know, it's kind of the embeddings.", ["embeddings"]),
        ("We’re fine-tuning, and we don’t regret it", ["fine-tuning", "regret"]),
        ("C++ and C# and node.js with GPT-4o.", ["c++", "c#", "node.js", "gpt-4o"]),
        ("Die Größe des Wörterbuchs", ["die", "größe", "des", "wörterbuchs"]),  # too short for a language
        ("42 times 3.14 percent of 7B", ["percent"]),
        ("... 123 ?!", []),
    ],
)
def test_fillers_contractions_and_numbers_are_left_out(said: str, kept: list[str]) -> None:
    assert content_words(said) == kept
