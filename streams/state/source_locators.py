"""Parser of sources as people type them: a YouTube channel or playlist, a feed, a folder, or a search."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from streams.errors import DataError, Misconfigured
from streams.events import SourceKind
from streams.youtube.locators import HOSTS, parse_locator

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://|(file):", re.IGNORECASE)
_PATH = re.compile(r"~?/|~$|\.{1,2}(/|$)")


def locate(text: str) -> tuple[SourceKind, str]:
    """Return the kind and the locator of a source that a person typed.

    A path begins with `/`, `~`, `./` or `../`; an address that is not YouTube's is a podcast's feed. Whether
    it leads into this machine's network is checked when it is read, and at every redirect.

    Example:
        >>> locate("https://talkpython.fm/episodes/rss")
        ('feed', 'https://talkpython.fm/episodes/rss')
        >>> locate("LLM in production")
        ('search', 'LLM in production')

    Raises:
        DataError: it is not a source that can be watched; the cure says what to give.
    """
    text = text.strip()
    if _PATH.match(text):
        return "folder", _folder(text)
    scheme = _SCHEME.match(text)
    if scheme is None:
        return parse_locator(text)
    if (scheme[1] or scheme[2]).lower() not in ("http", "https"):
        raise DataError(
            f"{text[:200]} is not a web address", "give an http(s) address, or the path of a folder"
        )
    return ("feed", text) if _is_elsewhere(text) else parse_locator(text)


def presets() -> list[str]:
    """Return the names of the presets: sets of sources that are bundled with Groundswell."""
    found = (files("streams") / "presets").iterdir()
    return sorted(each.name.removesuffix(".yaml") for each in found if each.name.endswith(".yaml"))


def preset(name: str) -> list[tuple[SourceKind, str]]:
    """Return the kinds and locators of a preset's sources.

    Example:
        >>> preset("llm-in-production")[2]
        ('search', 'LLMOps')

    Raises:
        Misconfigured: there is no such preset.
    """
    if name not in presets():
        raise Misconfigured(
            f"there is no preset {name[:80]!r}",
            f"choose from {', '.join(presets())}, or name sources yourself",
        )
    kept = yaml.safe_load((files("streams") / "presets" / f"{name}.yaml").read_text(encoding="utf-8"))
    return [(kind, locator) for each in kept for kind, locator in each.items()]


def _is_elsewhere(text: str) -> bool:
    """Return whether an address belongs to another site; an invalid one is left to YouTube's parser."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return False
    host = (url.hostname or "").rstrip(".")
    if not host or host in HOSTS or any(each.isspace() for each in text):
        return False
    if url.username is not None or url.password is not None:
        raise DataError(
            f"the address at {host[:100]} contains a user and password, which would be shown with the source",
            "give the address that the podcast's host offers for apps, which contains a key instead",
        )
    return True


def _folder(text: str) -> str:
    path = Path(text).expanduser()
    try:
        path = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "it leads in a circle"
        raise DataError(
            f"{text[:200]} cannot be watched ({reason})", "give an existing folder, or create it first"
        ) from error
    if not path.is_dir() and not path.is_file():
        raise DataError(f"{text[:200]} is neither a folder nor a file", "give a folder of talks")
    return str(path)
