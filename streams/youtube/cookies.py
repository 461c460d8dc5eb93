"""Reader of the cookie file with which yt-dlp signs in: checked, never written; errors do not quote it."""

from __future__ import annotations

import re
from pathlib import Path

from streams.errors import Misconfigured

_HEADER = "# Netscape HTTP Cookie File\n"
_HTTP_ONLY = "#HttpOnly_"
_FIELDS = 7
_YOUTUBE = re.compile(r"\s*([\w.-]*\.)?youtube\.com(?![\w.-])")
_DOMAIN = re.compile(r"([\w.-]*\.)?youtube\.com")
_EXPIRES = re.compile(r"([0-9]{1,15}(\.[0-9]{1,9})?)?")
EXPORT = (
    "export the cookies of www.youtube.com again, in Netscape format (a browser's extension or "
    '"yt-dlp --cookies-from-browser" does it), or unset GROUNDSWELL_COOKIES to continue as a guest'
)


def read_cookies(path: Path) -> str:
    """Return a file's cookies of youtube.com in the form that yt-dlp accepts without a warning.

    yt-dlp prints a line that it cannot parse, and with it somebody's login; so no invalid line may reach it.
    Cookies of other sites are removed.

    Raises:
        Misconfigured: the file is missing, unreadable, in another format, or has no cookie of YouTube.
    """
    try:
        text = path.expanduser().read_text("utf-8-sig")
    except OSError as error:
        raise Misconfigured(
            f"the cookie file {path} cannot be read ({error.strerror})",
            f"correct GROUNDSWELL_COOKIES or the file's permissions; or {EXPORT}",
        ) from None
    except UnicodeDecodeError:
        raise Misconfigured(f"the cookie file {path} is not a text file", EXPORT) from None
    if text.lstrip()[:1] in ("[", "{"):
        raise Misconfigured(f"the cookie file {path} is JSON, not in Netscape format", EXPORT)
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.removeprefix(_HTTP_ONLY)
        if entry.lstrip().startswith("#") or not _YOUTUBE.match(entry):
            continue
        if not _well_formed(entry):
            raise Misconfigured(f"the cookie file {path} is broken: line {number} is not a cookie", EXPORT)
        lines.append(entry)
    if not lines:
        raise Misconfigured(f"the cookie file {path} has no cookie of youtube.com", EXPORT)
    return _HEADER + "".join(f"{line}\n" for line in lines)


def _well_formed(entry: str) -> bool:
    fields = entry.split("\t")
    if len(fields) != _FIELDS or not "".join(fields).isascii() or not "".join(fields).isprintable():
        return False
    domain, subdomains, _, secure, expires = fields[:5]
    return (
        _DOMAIN.fullmatch(domain) is not None
        and {subdomains, secure} <= {"TRUE", "FALSE"}
        and (subdomains == "TRUE") == domain.startswith(".")
        and _EXPIRES.fullmatch(expires) is not None
    )
