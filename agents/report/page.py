"""Rendering of the report as one self-contained HTML file, and its figures as separate files.

Titles and transcripts are untrusted: the template escapes them, and the page's Content-Security-Policy
forbids scripts and requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.queries import wording
from agents.report.drawing import Drawn, label
from agents.report.facts import Facts
from agents.report.figures import MOST_THEMES, draw

if TYPE_CHECKING:
    from streams.store.queries.selection import Selection

TEMPLATES = Path(__file__).parent / "templates"
PAIRS = 20
"""Number of pairs listed, the strongest."""
LONGEST_QUOTE = 700
"""Maximum length of a quote in characters; the link leads to the whole of it."""
LONGEST_NAME = 160
MOVING = ("new", "rising", "declining", "dormant")
FILTERS = ("source", "channel", "show", "speaker", "language")


def write(facts: Facts, folder: Path) -> Path:
    """Write report.html and figures/ into a folder, created if missing; return the page's path.

    Raises:
        OSError: a file cannot be written.
    """
    figures = draw(facts)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for figure in figures:
        (folder / "figures" / f"{figure.name}.svg").write_text(figure.svg, encoding="utf-8")
        (folder / "figures" / f"{figure.name}.png").write_bytes(figure.png)
    page = folder / "report.html"
    page.write_text(render(facts, figures), encoding="utf-8")
    return page


def render(facts: Facts, figures: Sequence[Drawn]) -> str:
    """Render the page and return its HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "percent": wording.percent,
        "points": lambda change: f"{change:+.1f}".replace("-", "−"),
        "thousands": "{:,}".format,
        "named": lambda text: label(text, LONGEST_NAME),
        "shorten_quote": shorten_quote,
        "day": wording.day,
        "period": period,
    }
    environment.filters |= filters
    moving = [
        topic
        for topic in (*facts.topics, *facts.unspoken)
        if topic.status in MOVING and topic.change and topic.change["videos"] + topic.change["before_videos"]
    ]
    return environment.get_template("report.html").render(
        facts=facts,
        made=facts.made,
        selection=facts.selection,
        filters={name: value for name in FILTERS if (value := getattr(facts.selection, name))},
        narrowed=facts.corpus != facts.whole,
        figures={figure.name: figure for figure in figures},
        most_themes=MOST_THEMES,
        pairs=[pair for pair in facts.pairs if pair.videos > 0][:PAIRS],
        cells={(pair.topic_id, pair.other_id): pair.videos for pair in facts.pairs},
        moving=sorted(moving, key=lambda topic: -topic.change["change"] if topic.change else 0.0),
        compared=next((topic.change for topic in facts.topics if topic.change), None),
    )


def shorten_quote(text: str, most: int = LONGEST_QUOTE) -> str:
    """Return a quote of at most `most` characters, cut after a whole word.

    Example:
        >>> shorten_quote("We put the tools behind it", 15)
        'We put the …'
    """
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    return f"{cut[: cut.rfind(' ') + 1] if ' ' in cut[most // 2 :] else cut}…"


def period(selection: Selection) -> str:
    """Return the period of a selection in words.

    Example:
        >>> from streams.store.queries.selection import Selection
        >>> period(Selection("2025-01", "2025-06")), period(Selection(last="2025-06"))
        ('published from 2025-01 to 2025-06', 'published until 2025-06')
    """
    if not selection.first:
        return f"published until {selection.last}" if selection.last else "published at any time"
    return f"published from {selection.first}" + (f" to {selection.last}" if selection.last else " on")
