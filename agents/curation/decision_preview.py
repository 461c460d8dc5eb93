"""Preview of a decision: the changes that it would make to the numbers.

The counts come from the same queries as after the decision, once with the current codebook and once with the
changed one; nothing is written. So the preview is exact unless talks arrive or somebody else decides in
between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from models.codebook.state import CodebookChange, CodebookState
from streams.store.codebook.effective import EffectiveCodebook, EffectiveEntry
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.queries import prevalence
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class CountChange:
    """A theme or topic before and after; `name` or `name_after` is empty on the side where it is absent.

    Attributes:
        videos, videos_after: distinct videos.
        share, share_after: of the videos with any topic, in [0, 1].
    """

    name: str
    name_after: str
    videos: int
    videos_after: int
    share: float
    share_after: float

    @property
    def counts_alike(self) -> bool:
        """Return whether the number of videos stays the same; the share may differ with its denominator."""
        return self.videos == self.videos_after


@dataclass(frozen=True, slots=True)
class Preview:
    """The changes that a decision would make.

    Attributes:
        said: the decision, in words.
        of_videos, of_videos_after: videos with any topic, the denominator of the shares.
        themes, topics: those whose name or number of videos changes.
        others: the number of further themes and topics whose share changes only because `of_videos` does.
    """

    said: str
    of_videos: int
    of_videos_after: int
    themes: tuple[CountChange, ...]
    topics: tuple[CountChange, ...]
    others: int

    @property
    def changes_numbers(self) -> bool:
        """Return whether any number of videos changes."""
        return self.of_videos != self.of_videos_after or any(
            not each.counts_alike for each in (*self.themes, *self.topics)
        )


def preview(
    warehouse: Warehouse, standing: CodebookState, change: CodebookChange, selection: Selection = EVERYTHING
) -> Preview:
    """Return the effect of a change on the numbers of the selected talks."""
    before, after = book_of(standing), book_of(standing.after(change))
    removed = [theme.theme for theme in change.themes if theme.removed]
    added = [theme.theme for theme in change.themes if not theme.removed]
    renamed = dict(zip(removed, added, strict=True)) if len(removed) == len(added) == 1 else {}
    themes = [prevalence.themes(warehouse, selection, applied) for applied in (before, after)]
    topics = [prevalence.topics(warehouse, selection, applied) for applied in (before, after)]
    by_name = [
        {row["theme"]: NamedCount(row["theme"], row["videos"], row["share"]) for row in rows}
        for rows in themes
    ]
    by_id = [
        {row["topic_id"]: NamedCount(row["name"], row["videos"], row["share"]) for row in rows}
        for rows in topics
    ]
    all_themes = paired({renamed.get(name, name): each for name, each in by_name[0].items()}, by_name[1])
    all_topics = paired(by_id[0], by_id[1])
    of_videos = [rows[0]["of_videos"] if rows else 0 for rows in themes]
    return Preview(
        said=change.said,
        of_videos=of_videos[0],
        of_videos_after=of_videos[1],
        themes=tuple(each for each in all_themes if _differs(each)),
        topics=tuple(each for each in all_topics if _differs(each)),
        others=sum(not _differs(each) and each.videos > 0 for each in (*all_themes, *all_topics))
        if of_videos[0] != of_videos[1]
        else 0,
    )


def book_of(standing: CodebookState) -> EffectiveCodebook:
    """Return the codebook as the store applies it; equal to `codebook.effective.book` after the write."""
    return EffectiveCodebook(
        standing.model_version,
        {
            topic_id: EffectiveEntry(
                topic_id=topic_id,
                name=topic.called,
                theme=topic.entry.theme or UNSORTED,
                retained=topic.entry.retained,
                counts_as=standing.counts_as(topic_id),
                reason=topic.entry.reason,
                revision=topic.revision,
            )
            for topic_id, topic in standing.topics.items()
        },
    )


class NamedCount(NamedTuple):
    """Videos of a theme or topic, and their share, under its name."""

    name: str = ""
    videos: int = 0
    share: float = 0.0


def paired(before: Mapping[Any, NamedCount], after: Mapping[Any, NamedCount]) -> list[CountChange]:
    """Pair the counts of both sides by key, those with the most videos first, and topics in no theme last."""
    found = []
    for each in dict.fromkeys((*before, *after)):
        one, other = before.get(each, NamedCount()), after.get(each, NamedCount())
        found.append(
            CountChange(
                name=one.name,
                name_after=other.name,
                videos=one.videos,
                videos_after=other.videos,
                share=one.share,
                share_after=other.share,
            )
        )
    return sorted(
        found,
        key=lambda each: (
            UNSORTED in {each.name, each.name_after},
            -max(each.videos, each.videos_after),
            each.name,
        ),
    )


def _differs(each: CountChange) -> bool:
    return each.name != each.name_after or not each.counts_alike
