"""Messages for people: an alert in plain words, with its evidence and links.

Titles, names and quotes come from talks and are untrusted: each becomes one line of bounded length without
characters that reverse or hide text, it cannot ping a chat's members, and the HTML escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agents.alerting.config import SYSTEM
from agents.queries.media_links import at_second, clock
from agents.queries.wording import day, figures
from agents.report.drawing import label
from streams.store.rows.alerts import AlertOfAnyRule, Card
from streams.store.rows.talks import Heard, Quote
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse

TEMPLATES = Path(__file__).parent / "templates"
QUOTES = 3
LONGEST_TITLE = 160
LONGEST_QUOTE = 420
LONGEST_REASON = 900
PING = re.compile(r"@(?=everyone|here|channel|all\b)|<(?=[!@#&])", re.IGNORECASE)
"""Matches the start of a mention of everybody in chats; an invisible word joiner after it defuses it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message ready to send; `text` and `html` have the same content."""

    title: str
    text: str
    html: str
    tone: Literal["info", "warning"] = "info"


@dataclass(frozen=True, slots=True)
class QuotedPassage:
    """A quote with its source and time; `link` is None if there is no page to open."""

    text: str
    about: tuple[str, ...]
    """Speakers, talk, date of publication, and time in the talk; empty parts are left out."""
    link: str | None

    @property
    def by(self) -> str:
        """The source in one line."""
        return ", ".join(self.about)


@dataclass(frozen=True, slots=True)
class MessageTalk:
    """A talk by title; `what` says why it is listed."""

    what: str
    title: str
    about: str
    link: str | None


def one_line(text: object, most: int = LONGEST_TITLE) -> str:
    """Return a text from a talk as one harmless line.

    Example:
        >>> one_line("a\\nb \\u202ec"), one_line("@everyone") == "@\\u2060everyone"
        ('a b c', True)
    """
    return PING.sub("\\g<0>\u2060", label(str(text), most))


def of_alert(row: AlertOfAnyRule, study: str, web_url: str, more: Sequence[Quote] = ()) -> Message:
    """Return the message for an alert.

    Args:
        row: the alert.
        study: its name.
        web_url: the address of the page; empty: no links to it.
        more: quotes to show if the alert itself has none; as of the view `quotes`.
    """
    title = one_line(row["title"])
    system = row["rule"] in SYSTEM
    page = page_of(row, web_url)
    context = {
        "study": study,
        "title": title,
        "reason": sentence(one_line(row["reason"], LONGEST_REASON)),
        "figures": figures(row) + "." if row["channel"] else "",
        "words": [one_line(term, 60) for term in row["terms"][:8]],
        "talks": [
            _talk(what, talk, web_url) for what, talk in zip(_ends(row["talks"]), row["talks"], strict=True)
        ],
        "quotes": [
            quoted(quote, web_url, when)
            for quote, when in zip((row["quotes"] or more)[:QUOTES], sides(row), strict=False)
        ],
        "page": page,
        "page_says": "Look at it on the page" if row["topic_id"] or not system else "Look at the system",
        "rule": row["rule"],
        "raised_on": day(row["raised_at"]),
    }
    return Message(
        title=f"[{study}] {title}",
        text=render("alert.txt", context),
        html=render("alert.html", context),
        tone="warning" if system else "info",
    )


def sentence(text: str) -> str:
    """Return a text that ends with a punctuation mark.

    Example:
        >>> sentence("they rise"), sentence("Really?")
        ('they rise.', 'Really?')
    """
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def more_quotes(warehouse: Warehouse, row: AlertOfAnyRule) -> list[Quote]:
    """Return the newest quotes of an alert's topic, or none if the alert has its own."""
    if row["quotes"] or not row["topic_id"]:
        return []
    return talk_queries.quotes(warehouse, row["topic_id"], QUOTES, newest=True)


def of_test(destination: str, study: str, web_url: str) -> Message:
    """Return a message that is clearly marked as a test."""
    title = f"[{study}] TEST: alerts reach you"
    context = {
        "study": study,
        "title": "This is a test",
        "reason": f"Somebody asked whether alerts of the study “{study}” reach the destination "
        f"“{destination}”. They do. Nothing has happened, and you need not do anything.",
        "figures": "",
        "words": [],
        "talks": [],
        "quotes": [],
        "page": web_url.rstrip("/"),
        "page_says": "Open the page",
        "rule": "test",
        "raised_on": "",
    }
    return Message(title, render("alert.txt", context), render("alert.html", context))


def page_of(row: AlertOfAnyRule, web_url: str) -> str:
    """Return the address of the page about an alert; empty if the page's address is unknown."""
    if not web_url:
        return ""
    if row["rule"] in SYSTEM and not row["topic_id"]:
        path = "system"
    elif row["topic_id"]:
        path = f"topics/{row['topic_id']}"
    else:
        path = "emerging" if row["rule"] in ("emergence", "one source", "new topic") else ""
    return f"{web_url.rstrip('/')}/{path}"


def quoted(quote: Mapping[str, Any], web_url: str, when: str = "") -> QuotedPassage:
    """Return a quote with a link to its second in the video, or else to the talk's page.

    Args:
        when: which side of a change it is from, as of `sides`.
    """
    at = at_second(quote["url"], quote["start_s"])
    speakers = ", ".join(quote.get("speakers") or ())
    published = day(quote.get("published_at") or quote.get("published_on"))
    title = quote["title"] or quote["video_id"]
    parts = (when, speakers, title, published, f"at {clock(quote['start_s'])}")
    about = tuple(one_line(part) for part in parts if part)
    return QuotedPassage(
        one_line(quote["text"], LONGEST_QUOTE), about, at or talk_page(quote["video_id"], web_url)
    )


def sides(row: AlertOfAnyRule | Card) -> tuple[str, ...]:
    """Return the sides of a change that the quotes of an alert are from; empty where it is about none."""
    return ("before", "after", "") if row["rule"] == "drift" and len(row["quotes"]) == 2 else ("",) * QUOTES


def talk_page(video_id: str, web_url: str) -> str | None:
    """Return the address of a talk's page, or None if the page's address is unknown."""
    from urllib.parse import quote

    return f"{web_url.rstrip('/')}/talks/{quote(video_id, safe='')}" if web_url else None


def _talk(what: str, talk: Heard, web_url: str) -> MessageTalk:
    link = at_second(talk["url"], 0) and talk["url"]
    about = ", ".join(one_line(part) for part in (talk["show"], day(talk["published_at"])) if part)
    title = one_line(talk["title"] or talk["video_id"])
    return MessageTalk(what, title, about, talk_page(talk["video_id"], web_url) or link or None)


def _ends(talks: Sequence[Any]) -> Iterable[str]:
    return ("First talk", "Latest talk")[: len(talks)] if len(talks) != 1 else ("Talk",)


def render(template: str, context: Mapping[str, Any]) -> str:
    """Return a rendered template of this package; templates named .html escape their values."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = lambda share: f"{100 * share:.1f} %"
    environment.filters["thousands"] = "{:,}".format
    environment.filters["wrapped"] = wrapped
    return environment.get_template(template).render(**context)


def wrapped(text: str, indent: int = 0, width: int = 76) -> str:
    """Return a text wrapped for a mail; addresses are not broken."""
    import textwrap

    space = " " * indent
    return textwrap.fill(
        text,
        width,
        initial_indent=space,
        subsequent_indent=space,
        break_long_words=False,
        break_on_hyphens=False,
    )
