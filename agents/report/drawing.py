"""Style of the report's figures: colours, text fitting, and reproducible SVG and PNG output."""

from __future__ import annotations

import io
import re
import textwrap
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 691.2
"""Width of every figure in points (9.6 inches). Positions in figures are points from the lower left."""
DPI = 200
INK, QUIET, LINE, PAPER, SEA, NONE = "#1a2328", "#56636a", "#dedfda", "#fbfaf7", "#0b5d70", "#f1f1ec"
LEVELS = (
    *("#e0f5f6", "#c7e2e4", "#afcfd2", "#97bcc2", "#7fa9b1"),
    *("#6897a1", "#457a88", "#356f7f", "#1e6274", "#005066"),
)
"""Colours of amounts, from little to most; they differ in lightness alone."""
ON_LOW, ON_MIDDLE, ON_HIGH = "#1a2327", "#1a2326", "#fffffe"
"""Text colours on levels 1 to 5, on 6, and on 7 to 10."""
ON_TILE = "#10171c"
TILES = ("#93bbe4", "#f1a085", "#f0e29c", "#69c8ad", "#ffbbc8", "#ade3ff", "#c9d65c", "#bfbf40")
"""Paul Tol's light scheme (2021), a little lighter; people with colour-blindness can distinguish them."""
TILE_OF_OTHERS = "#dddddd"
ROLES = {
    INK: "ink", QUIET: "quiet", LINE: "line", PAPER: "paper", SEA: "sea", NONE: "level-0",
    ON_LOW: "on-low", ON_MIDDLE: "on-middle", ON_HIGH: "on-high",
} | {colour: f"level-{number}" for number, colour in enumerate(LEVELS, 1)}  # fmt: skip
"""CSS variables by colour; a page sets them for its light and its dark scheme."""
_STYLE: Any = {
    "svg.hashsalt": "groundswell",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "text.parse_math": False,
    "path.simplify": False,
}
_NO_DATE = {"Date": None, "Creator": None, "Format": None, "Type": None}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A finished figure.

    Attributes:
        name: stem of its files.
        title: what it shows.
        text: description for readers who cannot see it.
        svg: a complete SVG file; `inline` is the same for a page that sets the colours of `ROLES`.
        png: a PNG file of `DPI`.
    """

    name: str
    title: str
    text: str
    svg: str
    png: bytes

    @property
    def inline(self) -> str:
        """Return the SVG for embedding in an HTML page, with ids unique to this figure."""
        found = re.sub(
            r'\b(id="|xlink:href="#|url\(#)', rf"\g<1>{self.name}-", self.svg[self.svg.index("<svg") :]
        )
        return re.sub(r"#[0-9a-f]{6}\b", lambda colour: _themed(colour[0]), found)


def _themed(colour: str) -> str:
    return f"var(--{ROLES[colour]}, {colour})" if colour in ROLES else colour


@contextmanager
def canvas(height: float) -> Iterator[tuple[Figure, Any]]:
    """Yield an empty figure of `WIDTH` x `height` points, and axes over all of it whose unit is the point."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        figure = Figure(figsize=(WIDTH / 72, height / 72), facecolor=PAPER)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, height))
        axes.axis("off")
        yield figure, axes


def finish(figure: Figure, name: str, title: str, text: str) -> Drawn:
    """Render the figure as SVG and PNG; call it within its `canvas`."""
    svg, png = io.StringIO(), io.BytesIO()
    figure.savefig(svg, format="svg", metadata=_NO_DATE)
    figure.savefig(png, format="png", dpi=DPI, metadata={"Software": None})
    return Drawn(name, title, text, _accessible(svg.getvalue(), title, text), png.getvalue())


def _accessible(svg: str, title: str, text: str) -> str:
    """Return the SVG with a title and description; its style element becomes a style on the root element."""
    from xml.sax.saxutils import escape, quoteattr

    svg = re.sub(r"\s*<style[^>]*>.*?</style>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"\s*<defs>\s*</defs>", "", svg, count=1)
    svg = re.sub(r"<!DOCTYPE.*?>\s*", "", svg, count=1, flags=re.DOTALL)
    names = f"<title>{escape(title)}</title>\n <desc>{escape(text)}</desc>"
    opening = re.search(r"<svg\b[^>]*>", svg)
    assert opening is not None
    marked = opening[0][:-1] + f' role="img" aria-label={quoteattr(title + ". " + text)}'
    style = 'style="stroke-linejoin: round; stroke-linecap: butt"'
    return svg[: opening.start()] + f"{marked} {style}>\n {names}" + svg[opening.end() :]


def label(text: str, most: int = 200) -> str:
    """Return a text as one line without characters that XML forbids or that change the text direction.

    Example:
        >>> label("a\\x00 \\u202eb\\n c"), label("abcdef", 4)
        ('a b c', 'abc…')
    """
    kept = "".join(
        " " if character.isspace() else character
        for character in text
        if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Cn", "Co") or character.isspace()
    )
    line = " ".join(kept.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def width(text: str, size: float) -> float:
    """Return an estimate, rather too large than too small, of a line's width in points at a font size."""
    return size * sum(
        1.0 if unicodedata.east_asian_width(each) in "WF" else 0.72 if each.isupper() else 0.6
        for each in text
    )


def fit(text: str, wide: float, high: float, sizes: tuple[float, ...]) -> tuple[float, list[str]] | None:
    """Return the largest font size at which a text fits, and its lines; None if it fits at no size."""
    for size in sizes:
        lines = textwrap.wrap(text, max(1, int(wide / (0.6 * size))), break_long_words=False)
        if lines and max(width(line, size) for line in lines) <= wide and len(lines) * size * 1.25 <= high:
            return size, lines
    return None


def heading(name: str, numbers: tuple[str, ...], wide: float) -> tuple[float, str]:
    """Return a font size and at most two bold lines with a name and the first of the numbers that fits.

    If no number fits, both lines are shortened.
    """
    name = label(name)
    for size in (8.0, 7.5, 7.0, 6.5):
        bold = size * 1.12
        for number in numbers:
            for said in (f"{name}\n{number}", *_broken(f"{name} {number}")):
                if max(width(line, bold) for line in said.split("\n")) <= wide:
                    return size, said
    return 8.0, f"{shorten(name, wide, 8.0 * 1.12)}\n{shorten(numbers[-1], wide, 8.0 * 1.12)}"


def _broken(text: str) -> Iterator[str]:
    """Yield the line broken in two at each of its spaces, starting from the middle."""
    spaces = [at for at, character in enumerate(text) if character == " "]
    for at in sorted(spaces, key=lambda at: abs(at - len(text) / 2)):
        yield f"{text[:at]}\n{text[at + 1 :]}"


def shorten(text: str, wide: float, size: float) -> str:
    """Return a line, shortened with an ellipsis if it does not fit."""
    text = label(text)
    if width(text, size) <= wide:
        return text
    while text and width(f"{text}…", size) > wide:
        text = text[:-1]
    return f"{text.rstrip()}…"
