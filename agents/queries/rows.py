"""Rows of views that add statistics to those of the store: intervals, trends and statuses.

As in `streams.store.rows`, fields are in the order of the API and its CSV. `low` and `high` are the ends of a
95 % interval.
"""

from __future__ import annotations

from typing_extensions import TypedDict

from streams.store.rows.codebook import CountedOverlap
from streams.store.rows.prevalence import (
    Counted,
    Extent,
    RetainedTopic,
    ThemeInMonth,
    ThemeTopics,
    TopicInMonth,
)
from streams.store.rows.search import WordsInMonth
from streams.store.rows.talks import Quote
from streams.store.rows.topics import Change, Drift, KnownTopic, MonthVideos


class Interval(TypedDict):
    """The 95 % interval (Wilson) of a share."""

    low: float
    high: float


class Proportion(Counted, Interval):
    """A share with its interval."""


class Share(Counted, Interval, Extent):
    """Videos of something, over the videos with any topic of the same time."""


class Amount(TypedDict):
    """What a share is a share of, and of what it is the mean."""

    amount: float
    """Talks, paragraphs or minutes about it, as `basis` says; a paragraph counts once."""
    of_amount: float
    """All of the same time; amount / of_amount is the share, unless it is standardised."""
    covered: float
    """The part of the standard mix that has talks at the time; 1 without a standard."""


class Corrected(TypedDict):
    """A share of paragraphs without the errors of the count, with its 95 % interval.

    None where no coded sample says what the errors are (`agents.queries.validation`).
    """

    corrected: float | None
    corrected_low: float | None
    corrected_high: float | None


class Trend(TypedDict):
    """A period compared with the equal one before it."""

    first: str
    """Month ('YYYY-MM') or day ('YYYY-MM-DD'), as are the other ends of periods."""
    last: str
    videos: int
    of_videos: int
    before_first: str
    before_last: str
    before_videos: int
    before_of_videos: int
    change: float
    """Difference of the shares, with its 95 % interval."""
    change_low: float
    change_high: float


class Comparison(TypedDict):
    """The status of a theme or topic, and the trend that it rests on."""

    status: str | None
    """new, rising, stable, declining or dormant; None: there is nothing to compare with."""
    trend: Trend | None


class Difference(Proportion):
    """The share of a theme or topic in a selection and in another one, and their difference."""

    topic_id: int | None
    """None: the row is about a theme."""
    name: str
    theme: str
    other_videos: int
    other_of_videos: int
    other_share: float
    other_low: float
    other_high: float
    change: float
    """`share` - `other_share`, with its 95 % interval (Newcombe)."""
    change_low: float
    change_high: float
    differs: bool
    """Whether the interval of the change leaves out 0."""


class ConceptOverlap(CountedOverlap, Interval):
    """How far a topic that was born overlaps a topic of the codebook; `low` and `high` are of `share`."""

    suggested: bool
    """Whether it is suggested as a part of the topic of the codebook."""


class PlacedTheme(TypedDict):
    """A theme as it counts now, and as it would count with topics in other places."""

    theme: str
    videos: int
    share: float
    """Of the videos with any topic, as is `share_after`."""
    videos_after: int
    share_after: float


class ThemeMonth(Share, Amount, Corrected, ThemeInMonth):
    """A theme in a month."""


class TopicMonth(Share, Amount, Corrected, TopicInMonth):
    """A topic in a month."""


class WordMonth(Share, WordsInMonth):
    """Words in a month."""


class Theme(Share, ThemeTopics, Comparison):
    """A theme in a period."""


class Topic(Share, RetainedTopic, Comparison):
    """A topic in a period."""


class TopicFigures(TypedDict):
    """Figures of a topic since ever; None for one that is not retained."""

    videos: int | None
    of_videos: int | None
    share: float | None
    low: float | None
    high: float | None
    paragraphs: int | None
    minutes: float | None
    status: str | None
    trend: Trend | None


class WholeTopic(KnownTopic, TopicFigures):
    """Everything about a topic; one that is not retained has no figures."""

    months: list[MonthVideos]
    """Months with a video."""
    drifts: list[Drift]
    genealogy: list[Change]
    quotes: list[Quote]
    """The most probable paragraphs."""
    newest: list[Quote]
    """The newest paragraphs."""


class MixShare(Counted):
    """Talks of one source, or of one class of lengths, among those of a month that count."""

    month: str
    """'YYYY-MM'."""
    kind: str
    """source or length."""
    stratum: str
    """The source, or the number of the class of lengths; empty: not known."""
    name: str
    """The source's channel or show, or the class in words."""


class MixChange(Counted):
    """A month from which on talks come from other sources, or have other lengths.

    It names the source or class whose share changed most: in the six months from then on, and before.
    """

    month: str
    """'YYYY-MM', the first of the new mix."""
    kind: str
    """source or length."""
    stratum: str
    name: str
    before_videos: int
    before_of_videos: int
    before_share: float
    distance: float
    """Total variation distance of the mixes before and after, less what chance gives; at most 1."""
    p: float
    """How often chance alone gives such a distance, in a permutation test."""
    said: str
    """The change in words."""


class Mix(TypedDict):
    """The mix of sources and lengths of talks, and its changes."""

    changes: list[MixChange]
    """By month."""
    rows: list[MixShare]
    """By kind and month."""


class TimelineEvent(TypedDict):
    """An event on the time axis."""

    month: str
    """'YYYY-MM'."""
    kind: str
    """alert, source, mix or codebook."""
    said: str
    """The event in words."""
    alert_id: str
    """Of an alert; else empty."""
    topic_id: int | None
    """The topic of an alert; None: it is about none, or the event is no alert."""
