"""Data of a report, collected from the same views that the command line and the page use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from agents.queries.intervals import interval
from agents.queries.media_links import at_second, clock
from agents.queries.months import every
from agents.queries.registry import Ask
from agents.queries.rows import Proportion, Theme, ThemeMonth, Topic, Trend
from agents.queries.validation import ValidatedCount
from agents.report.mix_effect import ReportMixChange, mix_changes
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.queries.selection import Selection
from streams.store.rows.alerts import Alert, EvidenceQuote
from streams.store.rows.corpus import Corpus, Provenance, Status
from streams.store.rows.talks import Quote

PAIRED = 20
"""Number of topics, the most prevalent, in the co-occurrence matrix."""
QUOTED = 10
"""Number of topics, the most prevalent, that are quoted."""
QUOTES = 2
"""Quotes per topic."""
MOST = 1000
"""Maximum number of rows requested from a view."""


@dataclass(frozen=True, slots=True)
class Made:
    """Provenance of a report: study, time, settings and software versions.

    Attributes:
        settings: those of the machine that made it, name to value; without secrets.
        software: name to version.
    """

    study: str
    made_at: datetime
    settings: Mapping[str, Any]
    software: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReportTopic:
    """A retained topic; `status` as in the view `topics`."""

    topic_id: int
    name: str
    theme: str
    counted: Proportion
    paragraphs: int
    minutes: float
    words: tuple[str, ...]
    status: str | None
    change: Trend | None


@dataclass(frozen=True, slots=True)
class ReportMonth:
    """A month of publication; `counted` is None if no video of that month counts."""

    month: str
    unfinished: bool
    counted: Proportion | None


@dataclass(frozen=True, slots=True)
class ReportTheme:
    """A theme with at least one video, its topics (most prevalent first) and every month of the period.

    Topics that are in no theme yet are counted together, under `UNSORTED`.
    """

    name: str
    counted: Proportion
    paragraphs: int
    minutes: float
    status: str | None
    change: Trend | None
    topics: tuple[ReportTopic, ...]
    months: tuple[ReportMonth, ...]


@dataclass(frozen=True, slots=True)
class ReportPair:
    """Co-occurrence of two topics."""

    topic_id: int
    name: str
    other_id: int
    other: str
    videos: int
    jaccard: float
    lift: float


@dataclass(frozen=True, slots=True)
class ReportQuote:
    """A quote with its speakers and talk; `link` is None if a browser cannot open the talk's address."""

    text: str
    speakers: tuple[str, ...]
    title: str
    show: str
    published_on: str
    at: str
    link: str | None


@dataclass(frozen=True, slots=True)
class QuotedTopic:
    """A topic with quotes from talks."""

    topic_id: int
    name: str
    theme: str
    quotes: tuple[ReportQuote, ...]


@dataclass(frozen=True, slots=True)
class ReportAlert:
    """An alert raised in the period."""

    title: str
    reason: str
    raised_on: str
    quotes: tuple[ReportQuote, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Data of a report, without wording and figures.

    Attributes:
        of_videos: videos with at least one paragraph of a retained topic.
        unspoken: retained topics that no video of the period has.
        pairs: pairs of topics, most videos first. uncounted: the most videos that any pair left out has
            (0: no pair is left out).
        mix: changes of the mix of sources and lengths.
        corpus, whole: of the selection, and of the study.
        validation: what a coded sample says about the counts of the study; empty without one.
    """

    made: Made
    selection: Selection
    of_videos: int
    themes: tuple[ReportTheme, ...]
    unspoken: tuple[ReportTopic, ...]
    pairs: tuple[ReportPair, ...]
    uncounted: int
    mix: tuple[ReportMixChange, ...]
    news: tuple[ReportAlert, ...]
    quoted: tuple[QuotedTopic, ...]
    corpus: Corpus
    whole: Corpus
    state: Status
    provenance: Provenance
    validation: tuple[ValidatedCount, ...]

    @property
    def in_themes(self) -> tuple[ReportTheme, ...]:
        """Themes without the last row, of the topics that are in no theme yet."""
        return tuple(theme for theme in self.themes if theme.name != UNSORTED)

    @property
    def topics(self) -> tuple[ReportTopic, ...]:
        """Topics of all themes, most prevalent first."""
        spoken = (topic for theme in self.themes for topic in theme.topics)
        return tuple(sorted(spoken, key=lambda topic: (-topic.counted["videos"], topic.topic_id)))

    @property
    def paired(self) -> tuple[ReportTopic, ...]:
        """Topics in the co-occurrence matrix."""
        return self.topics[:PAIRED]

    @property
    def months(self) -> tuple[ReportMonth, ...]:
        """Months of the period, each with the number of its videos that count."""
        return tuple(_whole(month) for month in (self.themes[0].months if self.themes else ()))

    def as_json(self) -> dict[str, Any]:
        """Return all attributes as values that JSON can represent."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def gather(ask: Ask, selection: Selection, made: Made) -> Facts:
    """Collect the data of a report about the selected talks."""
    given = {name: value for name, value in asdict(selection).items() if value not in (None, "")}
    topics = [_topic(row) for row in ask("topics", **given)]
    spoken = [topic for topic in topics if topic.counted["videos"]]
    by_month = ask("prevalence", **given)
    themes = tuple(_theme(row, spoken, by_month) for row in ask("themes", **given))
    pairs = ask("cooccurrence", **given, limit=MOST)
    return Facts(
        made=made,
        selection=selection,
        of_videos=themes[0].counted["of_videos"] if themes else 0,
        themes=themes,
        unspoken=tuple(topic for topic in topics if not topic.counted["videos"]),
        pairs=tuple(ReportPair(**{name: row[name] for name in ReportPair.__slots__}) for row in pairs),
        uncounted=pairs[-1]["videos"] if len(pairs) == MOST else 0,
        mix=mix_changes(ask, given, [theme.name for theme in themes], by_month),
        news=tuple(
            _news(ask, row, given)
            for row in ask("alerts", limit=MOST)
            if _within(row["raised_at"], selection)
        ),
        quoted=tuple(_quoted(ask, topic, given) for topic in spoken[:QUOTED]),
        corpus=ask("corpus", **given),
        whole=ask("corpus"),
        state=ask("status"),
        provenance=ask("provenance", **given),
        validation=tuple(ask("validation")),
    )


def _share(row: Proportion) -> Proportion:
    """Return the share of a row that has more."""
    return {
        "videos": row["videos"],
        "of_videos": row["of_videos"],
        "share": row["share"],
        "low": row["low"],
        "high": row["high"],
    }


def _of(videos: int, of_videos: int) -> Proportion:
    return {
        "videos": videos,
        "of_videos": of_videos,
        "share": videos / of_videos,
        **interval(videos, of_videos),
    }


def _whole(month: ReportMonth) -> ReportMonth:
    """Return a month with all of its videos that count."""
    if month.counted is None:
        return month
    of_videos = month.counted["of_videos"]
    return replace(month, counted=_of(of_videos, of_videos))


def _topic(row: Topic) -> ReportTopic:
    return ReportTopic(
        topic_id=row["topic_id"],
        name=row["name"],
        theme=row["theme"],
        counted=_share(row),
        paragraphs=row["paragraphs"],
        minutes=row["minutes"],
        words=tuple(row["words"]),
        status=row["status"],
        change=row["trend"],
    )


def _theme(row: Theme, topics: Sequence[ReportTopic], by_month: Sequence[ThemeMonth]) -> ReportTheme:
    return ReportTheme(
        name=row["theme"],
        counted=_share(row),
        paragraphs=row["paragraphs"],
        minutes=row["minutes"],
        status=row["status"],
        change=row["trend"],
        topics=tuple(topic for topic in topics if topic.theme == row["theme"]),
        months=tuple(_months(row["theme"], by_month)),
    )


def _months(theme: str, by_month: Sequence[ThemeMonth]) -> list[ReportMonth]:
    """Return every month from the first to the last with a video, months without videos included."""
    of_videos = {row["month"]: row["of_videos"] for row in by_month}
    unfinished = {row["month"] for row in by_month if row["unfinished"]}
    videos = {row["month"]: row["videos"] for row in by_month if row["theme"] == theme}
    return [
        ReportMonth(
            month,
            month in unfinished,
            _of(videos.get(month, 0), of_videos[month]) if month in of_videos else None,
        )
        for month in every(min(of_videos), max(of_videos))
    ]


def _within(moment: Any, selection: Selection) -> bool:
    first, last = selection.days
    return first <= date.fromisoformat(str(moment)[:10]) <= last


def _quoted(ask: Ask, topic: ReportTopic, given: Mapping[str, Any]) -> QuotedTopic:
    rows = ask("quotes", **given, topic_id=topic.topic_id, limit=QUOTES)
    return QuotedTopic(topic.topic_id, topic.name, topic.theme, tuple(_quote(row) for row in rows))


def _quote(row: Mapping[str, Any]) -> ReportQuote:
    return ReportQuote(
        text=" ".join(row["text"].split()),
        speakers=tuple(row.get("speakers", ())),
        title=row["title"] or row["video_id"],
        show=row["show"],
        published_on=str(row.get("published_at") or row.get("published_on") or "")[:10],
        at=clock(row["start_s"]),
        link=at_second(row["url"], row["start_s"]),
    )


def _news(ask: Ask, row: Alert, given: Mapping[str, Any]) -> ReportAlert:
    """Return an alert with its quotes; without quotes of its own, with the topic's most typical paragraph."""
    quotes: Sequence[EvidenceQuote | Quote] = row["quotes"][:QUOTES]
    if not quotes and row["topic_id"]:
        quotes = ask("quotes", **given, topic_id=row["topic_id"], limit=1)
    return ReportAlert(
        title=row["title"],
        reason=row["reason"],
        raised_on=str(row["raised_at"])[:10],
        quotes=tuple(_quote(quote) for quote in quotes),
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON represents it; datetimes in ISO 8601, as in the API."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
