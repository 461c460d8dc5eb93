"""The digest: a letter about the news of a day or a week.

New topics come first, then rising and fading topics with figures and their confidence, then the growth of the
corpus, and at the end the problems of the system. It uses the same views as the page and the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from agents.alerting.config import SYSTEM
from agents.alerting.messages import (
    Message,
    QuotedPassage,
    one_line,
    page_of,
    quoted,
    render,
    sentence,
    sides,
    talk_page,
)
from agents.alerting.rule_evaluation import change_in_words
from agents.queries.registry import Ask
from agents.queries.rows import Topic, Trend
from agents.queries.wording import figures, percent
from streams.store.rows.alerts import AlertOfAnyRule, EvidenceQuote
from streams.store.rows.corpus import Status
from streams.store.rows.deliveries import Growth
from streams.store.rows.talks import Quote

MOVING = 4
"""Maximum number of rising and of fading topics in a digest; the page shows the others."""
NEWS = 8
LARGEST = 5
QUOTES_OF_NEWS = 2


@dataclass(frozen=True, slots=True)
class DigestItem:
    """A new topic, or another alert about topics."""

    title: str
    reason: str
    figures: str
    quotes: tuple[QuotedPassage, ...]
    page: str


@dataclass(frozen=True, slots=True)
class Moving:
    """A rising or fading topic, in words, with its newest quote."""

    name: str
    now: str
    before: str
    words: str
    quotes: tuple[QuotedPassage, ...]
    page: str


@dataclass(frozen=True, slots=True)
class Digest:
    """The content of a digest, without its layout.

    Attributes:
        first, last: the start and end of its period.
        more_news: the number of alerts that it leaves out.
        largest: themes, {theme, share, between, videos, of_videos}.
        system: the problems of the system, in sentences.
    """

    study: str
    every: Literal["daily", "weekly"]
    first: datetime
    last: datetime
    news: tuple[DigestItem, ...]
    more_news: int
    rising: tuple[Moving, ...]
    fading: tuple[Moving, ...]
    compared: str
    growth: Growth
    status: Status
    largest: tuple[dict[str, Any], ...]
    system: tuple[str, ...]
    page: str

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to report: no alerts, system problems or new talks."""
        return not (self.news or self.system or self.growth["talks"])


def gather(
    ask: Ask,
    rows: Sequence[AlertOfAnyRule],
    *,
    study: str,
    web_url: str,
    every: Literal["daily", "weekly"],
    first: datetime,
    last: datetime,
) -> Digest:
    """Return the digest of the alerts `rows` and of the study's figures."""
    # Topics that decline have their own section; it is no news when they began to.
    talked = [row for row in rows if row["rule"] not in (*SYSTEM, "declining")]
    newest = sorted(talked, key=lambda row: moment(row["raised_at"]), reverse=True)
    ordered = sorted(newest, key=lambda row: row["rule"] != "emergence")
    topics: list[Topic] = ask("topics")
    trend = next((row["trend"] for row in topics if row["trend"]), None)
    moving = sorted(topics, key=lambda row: -abs(row["trend"]["change"]) if row["trend"] else 0.0)
    status = ask("status")
    return Digest(
        study=study,
        every=every,
        first=first,
        last=last,
        news=tuple(_news(ask, row, web_url) for row in ordered[:NEWS]),
        more_news=max(0, len(ordered) - NEWS),
        rising=tuple(_moving(ask, [row for row in moving if _rises(row)], web_url)),
        fading=tuple(_moving(ask, [row for row in moving if _fades(row)], web_url)),
        compared=_compared(trend),
        growth=ask("growth", first=first.isoformat(), last=last.isoformat()),
        status=status,
        largest=tuple(
            {
                "theme": one_line(row["theme"], 80),
                "share": percent(row["share"]),
                "between": f"{100 * row['low']:.0f} to {100 * row['high']:.0f} %",
                "videos": row["videos"],
                "of_videos": row["of_videos"],
            }
            for row in ask("themes")[:LARGEST]
        ),
        system=tuple(_system(rows, status)),
        page=web_url.rstrip("/"),
    )


def write(digest: Digest) -> Message:
    """Return the digest as a mail."""
    shown = [
        {
            "title": one_line(talk["title"] or talk["video_id"]),
            "show": one_line(talk["show"], 80),
            "link": talk_page(talk["video_id"], digest.page) or _web(talk["url"]),
        }
        for talk in digest.growth["shown"]
    ]
    context = {
        "digest": digest,
        "headline": headline(digest),
        "opening": opening(digest),
        "period": period(digest),
        "shown": shown,
        "corpus": _corpus(digest),
    }
    return Message(
        title=f"[{digest.study}] {headline(digest)}",
        text=render("digest.txt", context),
        html=render("digest.html", context),
    )


def headline(digest: Digest) -> str:
    """Return the headline of the letter, one line."""
    first = next((news.title for news in digest.news), "")
    if first:
        more = len(digest.news) + digest.more_news - 1
        return f"{first}, and {more} more" if more else first
    if digest.rising:
        return f"Rising: {digest.rising[0].name}"
    when = _length(digest)
    if digest.growth["talks"]:
        without = f"{when} without news" if when[0].isdigit() else f"A {when} without news"
        return f"{without}, {_many(digest.growth['talks'], 'new talk')}"
    return f"{when} of quiet" if when[0].isdigit() else f"A quiet {when}"


def opening(digest: Digest) -> str:
    """Return the first paragraph."""
    length = _length(digest)
    when = {"day": "Since yesterday", "week": "This week"}.get(length, f"In the last {length}")
    talks, shows = digest.growth["talks"], digest.growth["sources"]
    if talks:
        came = f"{when}, {_many(talks, 'talk')} came in from {_many(shows, 'source')}"
        came += f": {_hours(digest.growth['hours'])} of speech." if digest.growth["hours"] else "."
    else:
        came = f"{when}, no new talk came in."
    count = len(digest.news) + digest.more_news
    if count:
        return f"{came} {_many(count, 'new alert').capitalize()} about topics."
    if digest.rising or digest.fading:
        return f"{came} Nothing is new, but some topics are rising or declining."
    return f"{came} Nothing new emerged."


def _length(digest: Digest) -> str:
    """Return the length of what it covers: day, week, month or a number of days."""
    days = max(1, round((digest.last - digest.first) / timedelta(days=1)))
    return {1: "day", 7: "week", 30: "month", 31: "month"}.get(days, f"{days} days")


def period(digest: Digest) -> str:
    """Return the days that it covers, in words."""
    last = digest.last - timedelta(seconds=1)
    if digest.first.date() == last.date():
        return f"{last:%-d %B %Y}"
    year = "" if digest.first.year == last.year else f" {digest.first:%Y}"
    return f"{digest.first:%-d %B}{year} to {last:%-d %B %Y}"


def _news(ask: Ask, row: AlertOfAnyRule, web_url: str) -> DigestItem:
    quotes: Sequence[EvidenceQuote | Quote] = row["quotes"]
    if not quotes and row["topic_id"]:
        quotes = ask("quotes", topic_id=row["topic_id"], limit=QUOTES_OF_NEWS, newest=True)
    return DigestItem(
        title=one_line(row["title"], 120),
        reason=sentence(one_line(row["reason"], 700)),
        figures=figures(row) if row["channel"] else "",
        quotes=tuple(
            quoted(quote, web_url, when)
            for quote, when in zip(quotes[-QUOTES_OF_NEWS:], sides(row), strict=False)
        ),
        page=page_of(row, web_url),
    )


def _rises(topic: Topic) -> bool:
    trend = topic["trend"]
    return topic["status"] in ("new", "rising") and trend is not None and trend["videos"] > 0


def _fades(topic: Topic) -> bool:
    """Return whether its share fell with 95 % confidence; a dormant topic may have fallen or not changed."""
    trend = topic["trend"]
    return trend is not None and (
        topic["status"] == "declining" or (topic["status"] == "dormant" and trend["change_high"] < 0)
    )


def _moving(ask: Ask, topics: Sequence[Topic], web_url: str) -> Iterator[Moving]:
    for number, row in enumerate(topics[:MOVING]):
        trend = row["trend"]
        assert trend is not None, "a topic that rises or fades is compared"
        quotes = ask("quotes", topic_id=row["topic_id"], limit=1, newest=True) if number < 2 else []
        yield Moving(
            name=one_line(row["name"], 80),
            now=_share(trend["videos"], trend["of_videos"]),
            before=_share(trend["before_videos"], trend["before_of_videos"]),
            words=change_in_words(trend),
            quotes=tuple(quoted(quote, web_url) for quote in quotes),
            page=f"{web_url.rstrip('/')}/topics/{row['topic_id']}" if web_url else "",
        )


def _system(rows: Sequence[AlertOfAnyRule], status: Status) -> Iterator[str]:
    for row in rows:
        if row["rule"] in SYSTEM:
            when = f"{moment(row['raised_at']):%-d %B}"
            yield f"{one_line(row['title'])} ({when}). {one_line(row['reason'], 500)}"
    letters = status["dead_letters"]
    if letters and not any(row["rule"] == "dead letters" for row in rows):
        wait = "waits" if letters == 1 else "wait"
        many = _many(letters, "message").capitalize()
        yield f"{many} could not be processed and {wait} for a decision."
    if status["relearning"]:
        many = _many(status["relearning"], "talk").capitalize()
        yield f"{many} still to be relearned by the new topic model."


def _corpus(digest: Digest) -> str:
    status = digest.status
    if not status["first_published"]:
        return "The study has no talks yet."
    talks = status["states"].get("assigned", 0)
    return (
        f"The study now has {_many(talks, 'talk')} with {status['paragraphs']:,} paragraphs, "
        f"{_hours(status['hours'])} of speech, published from {moment(status['first_published']):%B %Y} to "
        f"{moment(status['last_published']):%B %Y}, and has {_many(status['topics'], 'topic')}."
    )


def _compared(trend: Trend | None) -> str:
    if trend is None:
        return ""
    return (
        f"Talks published from {trend['first']} to {trend['last']} are compared with those from "
        f"{trend['before_first']} to {trend['before_last']}; only changes with 95 % confidence are listed."
    )


def _share(videos: int, of_videos: int) -> str:
    return percent(videos / of_videos) if of_videos else "–"


def _many(count: int, what: str) -> str:
    number = "one" if count == 1 else f"{count:,}"
    return f"{number} {what}{'s' * (count != 1)}"


def _hours(hours: float) -> str:
    return f"{hours:,.0f} hours" if hours >= 1.5 else f"{hours * 60:,.0f} minutes"


def _web(url: str) -> str | None:
    return url if url.startswith(("https://", "http://")) else None


def moment(value: datetime | str | None) -> datetime:
    """Return a timestamp, parsed if it is text, as views return it over HTTP."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
