"""Theme suggestions for topics, from their names, words and quotes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from agents.curation.codebook_service import standing_of
from models.codebook.codebook import load
from models.codebook.commands import known
from models.codebook.state import CodebookState
from models.codebook.suggestion import Embed, suggest
from streams.store.rows.codebook import Codebook
from streams.store.rows.topics import NamedTopic

WORDS, QUOTES, QUOTE_LIMIT = 10, 3, 300
"""Limits of a topic's text: words, quotes, characters of a quote."""
SHOWN = 3


class SuggestedThemes(NamedTopic):
    """A topic and the themes that it may belong to."""

    theme: str
    """Where the topic is now, or empty."""
    suggestions: list[dict[str, Any]]
    """{theme, confidence, similarity}, the likeliest first, at most three."""


def suggested(
    ask: Callable[..., Any], codebook: str, embed: Embed, *, topic_id: int | None = None
) -> list[SuggestedThemes]:
    """Return `suggestions` for a study.

    Args:
        ask: queries its views by name (`codebook_standing`, `quotes`) with their parameters.
        codebook: the codebook that seeds the study, by name or path.
        embed: texts to float32 [n, d].
        topic_id: as for `suggestions`.

    Raises:
        BadInput: as for `suggestions`, or there is no such codebook.
    """
    row: Codebook = ask("codebook_standing")
    return suggestions(
        standing_of(row),
        {topic["topic_id"]: topic["words"] for topic in row["topics"]},
        lambda each: [quote["text"] for quote in ask("quotes", topic_id=each, limit=QUOTES)],
        {topic.key: topic.description for topic in load(codebook).topics},
        embed,
        topic_id=topic_id,
    )


def suggestions(
    standing: CodebookState,
    words: Mapping[int, Sequence[str]],
    quotes: Callable[[int], Sequence[str]],
    descriptions: Mapping[str, str],
    embed: Embed,
    *,
    topic_id: int | None = None,
) -> list[SuggestedThemes]:
    """Return suggested themes for a topic, or for every counted topic without a theme.

    Args:
        standing: the current codebook.
        words: the words of every topic, strongest first.
        quotes: returns the quotes of a topic, the most typical first.
        descriptions: the descriptions of the codebook's topics, by key.
        embed: texts to float32 [n, d].
        topic_id: the topic; if it has a theme already, it is left out of that theme's texts.

    Raises:
        BadInput: there is no such topic, or there are fewer than two themes to choose from.
    """
    if topic_id is not None:
        known(standing, topic_id)
    wanted = [topic_id] if topic_id is not None else _unsorted(standing)
    if not wanted:
        return []
    themes = {
        theme: [f"{theme}. {about}".strip()]
        + [
            f"{topic.called}. {descriptions.get(topic.key) or ', '.join(words[topic.entry.topic_id])}"
            for topic in standing.within(theme)
            if topic.entry.topic_id not in wanted and _counts(standing, topic.entry.topic_id)
        ]
        for theme, about in standing.themes.items()
    }
    texts = [_text(standing.topics[each].called, words[each], quotes(each)) for each in wanted]
    return [
        {
            "topic_id": each,
            "name": standing.topics[each].called,
            "theme": standing.topics[each].entry.theme,
            "suggestions": [asdict(suggestion) for suggestion in found[:SHOWN]],
        }
        for each, found in zip(wanted, suggest(texts, themes, embed), strict=True)
    ]


def _unsorted(standing: CodebookState) -> list[int]:
    return [
        topic_id
        for topic_id, topic in sorted(standing.topics.items())
        if not topic.entry.theme and _counts(standing, topic_id)
    ]


def _counts(standing: CodebookState, topic_id: int) -> bool:
    return standing.topics[topic_id].entry.retained and standing.merges(topic_id) is None


def _text(name: str, words: Sequence[str], quotes: Sequence[str]) -> str:
    said = " ".join(" ".join(quote.split())[:QUOTE_LIMIT] for quote in quotes[:QUOTES])
    return f"{name}. {', '.join(words[:WORDS])}. {said}".strip()
