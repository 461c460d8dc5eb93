"""Sanitizes text from untrusted sources: removes control characters, and converts HTML to plain text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from streams import intake
from streams.errors import DataError

_WEB_PAGE = re.compile(rb"<(!doctype\s+html|html)", re.IGNORECASE)
_COMMENT = re.compile(rb"\s+|<!--.*?-->", re.DOTALL)
_BREAKS = "p|br|div|li|ul|ol|tr|h[1-6]|blockquote"
_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<silent>script|style|head|template)(?=[\s/>]).*?(?:</(?P=silent)\b[^<>]*>|\Z)"
    rf"|</?(?P<breaks>{_BREAKS})(?=[\s/>])(?:[^<>\"']|\"[^<\"]*\"|'[^<']*')*>"
    r"|<[/!?]?[a-z](?:[^<>\"']|\"[^<\"]*\"|'[^<']*')*>"
    r"|<[/!?]?[a-z][^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
"""Matches in linear time: no alternative scans past the next `<` unless it consumes all that it scanned."""
_LONG_NUMBER = re.compile(r"&#\d{8,};?", re.ASCII)


_OF_A_STREAM = re.compile(r" \d{4}-\d{2}-\d{2} \d{2}:\d{2}$")
"""What yt-dlp appends to the title of a stream that is live."""


def is_another_title(said: str, known: Iterable[str]) -> bool:
    """Return whether a title differs from all known ones, ignoring whitespace and a live stream's timestamp.

    False if no title is known.

    Example:
        >>> is_another_title("RAG live", ["RAG  live 2026-01-31 18:00"]), is_another_title("RAG 2", ["RAG"])
        (False, True)
    """
    title, titles = _as_compared(said), set(filter(None, map(_as_compared, known)))
    return bool(title and titles) and title not in titles


def _as_compared(title: str) -> str:
    return _OF_A_STREAM.sub("", " ".join(title.split()))


def plain(text: str | None, limit: int) -> str:
    """Return at most `limit` characters of valid text, cleaned by `streams.intake.text`.

    Example:
        >>> plain("RAG\\x00 in <b>production</b>", 100)
        'RAG in <b>production</b>'
    """
    return intake.text((text or "")[: 2 * limit])[:limit]


def of_html(markup: str | None, limit: int) -> str:
    """Return the text of an HTML fragment, one line per paragraph, at most `limit` characters.

    Example:
        >>> of_html("<p>RAG &amp; agents</p><script>x()</script><ul><li>1 &lt; 2</li></ul>", 100)
        'RAG & agents\\n1 < 2'
    """
    said = _MARKUP.sub(lambda found: "\n" if found["breaks"] else "", (markup or "")[: 4 * limit])
    lines = (" ".join(line.split()) for line in unescaped(said).splitlines())
    return plain("\n".join(line for line in lines if line), limit)


def unescaped(text: str) -> str:
    """Return text with its HTML entities decoded; a number too long for Python becomes U+FFFD.

    Example:
        >>> unescaped("RAG &amp; agents&#" + "9" * 5000 + ";")
        'RAG & agents�'
    """
    return html.unescape(_LONG_NUMBER.sub("\N{REPLACEMENT CHARACTER}", text))


def refuse_web_page(body: bytes) -> None:
    """Raise DataError if the body is an HTML page instead of a feed."""
    begin, at = body[:4096].removeprefix(b"\xef\xbb\xbf"), 0
    while found := _COMMENT.match(begin, at):
        at = found.end()
    if _WEB_PAGE.match(begin, at):
        raise DataError(
            "a web page came instead of a feed, as when a site blocks an address or asks for consent",
            "open the address in a browser; wait some hours before the next try, or set GROUNDSWELL_PROXY",
        )
