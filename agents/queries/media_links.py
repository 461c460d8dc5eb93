"""Timestamps in talks: their written form and links that start playback at them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

YOUTUBE = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "youtu.be"})


def clock(seconds: float) -> str:
    """Return a position in a talk as m:ss or h:mm:ss.

    Example:
        >>> clock(123.9), clock(3723)
        ('2:03', '1:02:03')
    """
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def at_second(url: str, seconds: float) -> str | None:
    """Return `url` with the playback position added, or None unless it is an http(s) address with a host.

    YouTube takes the second as a parameter; other addresses get a media fragment (W3C Media Fragments,
    section 4.2.1), unless they have another fragment already.

    Example:
        >>> at_second("https://www.youtube.com/watch?v=abc", 123.4)
        'https://www.youtube.com/watch?v=abc&t=123s'
        >>> at_second("https://youtu.be/abc", 123.4)
        'https://youtu.be/abc?t=123'
        >>> at_second("https://example.org/talk.mp4", 123.4)
        'https://example.org/talk.mp4#t=123'
        >>> at_second("javascript:alert(1)", 123.4)
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    second = int(seconds)
    if host not in YOUTUBE:
        own = parts.fragment and not parts.fragment.startswith("t=")
        return urlunsplit(parts._replace(fragment=parts.fragment if own else f"t={second}"))
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name != "t"]
    stamp = ("t", str(second) if host == "youtu.be" else f"{second}s")
    return urlunsplit(parts._replace(query=urlencode([*kept, stamp]), fragment=""))
