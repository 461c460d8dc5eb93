"""Words of others as plain text: what cannot be written down is left out, markup becomes what it says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from streams import intake
from streams.errors import DataError

_SILENT = frozenset({"script", "style", "head", "template"})
_BREAKS = frozenset(
    {"p", "br", "div", "li", "ul", "ol", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"}
)

_WEB_PAGE = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html)", re.IGNORECASE | re.DOTALL)


_OF_A_STREAM = re.compile(r" \d{4}-\d{2}-\d{2} \d{2}:\d{2}$")
"""What yt-dlp appends to the title of a stream that is live."""


def is_another_title(said: str, known: Iterable[str]) -> bool:
    """Whether a title is none of those that are known, blanks and the moment of a live stream aside.

    False where none is known.

    Example:
        >>> is_another_title("RAG live", ["RAG  live 2026-01-31 18:00"]), is_another_title("RAG 2", ["RAG"])
        (False, True)
    """
    title, titles = _as_compared(said), set(filter(None, map(_as_compared, known)))
    return bool(title and titles) and title not in titles


def _as_compared(title: str) -> str:
    return _OF_A_STREAM.sub("", " ".join(title.split()))


def plain(text: str | None, limit: int) -> str:
    """Return at most `limit` characters of valid text, as it may enter (`streams.intake`).

    Example:
        >>> plain("RAG\\x00 in <b>production</b>", 100)
        'RAG in <b>production</b>'
    """
    return intake.text((text or "")[: 2 * limit])[:limit]


def of_html(markup: str | None, limit: int) -> str:
    """Return what a piece of HTML says: its words, a line for each of its paragraphs.

    Example:
        >>> of_html("<p>RAG &amp; agents</p><script>x()</script><ul><li>1 &lt; 2</li></ul>", 100)
        'RAG & agents\\n1 < 2'
    """
    teller = _Teller()
    teller.feed((markup or "")[: 4 * limit])
    teller.close()
    lines = (" ".join(line.split()) for line in "".join(teller.said).splitlines())
    return plain("\n".join(line for line in lines if line), limit)


def refuse_web_page(body: bytes) -> None:
    """Raise DataError where a web page came instead of a feed."""
    if _WEB_PAGE.match(body[:4096].removeprefix(b"\xef\xbb\xbf")):
        raise DataError(
            "a web page came instead of a feed, as when a site blocks an address or asks for consent",
            "open the address in a browser; leave it alone for some hours, or set GROUNDSWELL_PROXY",
        )


class _Teller(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._silent = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT and not self._silent:
            self._silent = tag
        elif tag in _BREAKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        elif tag in _BREAKS:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(data)
