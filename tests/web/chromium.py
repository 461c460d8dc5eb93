"""The real Chromium in which tests open pages."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

BROWSERS = ("chromium-headless-shell", "chromium")
"""Debian's builds of Chromium. The first has no windows: tests take a quarter less processor time in it."""
CHROMIUM = next((path for name in BROWSERS if (path := shutil.which(name))), None)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason=f"there is no {' and no '.join(BROWSERS)}: apt-get install -y {BROWSERS[0]}"
)
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCREENS = [
    (360, "dark"),
    pytest.param((1280, "light"), marks=pytest.mark.long),
    pytest.param((1920, "light"), marks=pytest.mark.long),
]
"""Width, and the colour scheme that a page is opened in; `in_each_scheme` shows it in the other one too."""

FAINT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(
    v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  ).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *:not(.unseen, svg *)")) {
    const text = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!text || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [low, high] = [light(rgba(style.color)), light(ground(element))].sort((a, b) => a - b);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < (large ? 3 : 4.5)) faint.push([element.className, element.textContent.slice(0, 30), ratio]);
  }
  return faint;
}"""
"""Texts with less contrast than WCAG 2.2 asks for at level AA (1.4.3)."""


def in_each_scheme(page: Any) -> Iterator[str]:
    """Show an open page in its own colour scheme, then in the other one; yield each scheme's name."""
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    own, other = ("dark", "light") if dark else ("light", "dark")
    yield own
    page.emulate_media(color_scheme=other)
    yield other
    page.emulate_media(color_scheme=own)


def barriers(page: Any) -> list[Any]:
    """Return an open page's accessibility faults: screen overflow, faint text, violations of axe's rules.

    The schemes differ in colours only, so axe's other rules run in one of them.
    """
    from axe_playwright_python.sync_playwright import Axe

    found: list[Any] = []
    rules: dict[str, Any] = {}
    for scheme in in_each_scheme(page):
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        broken = Axe().run(page, options={"resultTypes": ["violations"]} | rules).response["violations"]
        found += [f"{beyond} px are beyond the screen"] if beyond > 0 else []
        found += [(scheme, each) for each in page.evaluate(FAINT)]
        found += [(scheme, each["id"], [node["html"][:200] for node in each["nodes"]][:3]) for each in broken]
        rules = {"runOnly": ["color-contrast", "link-in-text-block"]}
    return found


@dataclass
class Visit:
    """An open page, with the URLs that it requested and the errors on it."""

    page: Any
    asked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: self.wrong.append(f"dialog: {dialog.message}"))
        self.page.on("requestfailed", self._failed)

    def _failed(self, request: Any) -> None:
        left = "ERR_ABORTED" in (request.failure or "")  # the browser left the page while this was loading
        live = request.url.endswith("/live") or "/live?" in request.url  # leaving the page cuts it off
        if not left and not live:
            self.wrong.append(request.url)
