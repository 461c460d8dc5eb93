"""Speed of the pages in a real browser, over 200,000 paragraphs of real talks in the embedded engine.

python benchmarks/web.py [--paragraphs 200000] [--talks FILE …] [--visits 7] [--out FILE.json]

The talks are real transcripts, told again until there are enough; what each paragraph is about is drawn
(`benchmarks/retold.py`), because the pages take as long whatever it is. `groundswell web` serves them in a
process of its own, Chromium opens them:

- `first view`: a page in a browser that has nothing of it yet, from where the browser begins to open it until
  the first frame with its chart; and what came over the wire, compressed;
- each interaction (another page, a period, a topic, a talk, a search): from the click on a page at rest until
  what was asked for is there, timed within the page, in a browser that has been there before; and the first
  time, when the page's own views are not kept yet (ADR 22), which no goal is set for.

Goals: first view below 1 s, every interaction below 200 ms (medians), the first page within 600 kB. Absolute
times depend on the machine and on what else it does.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.machine import describe
from benchmarks.retold import longest_talk, write
from benchmarks.topics import streams
from streams.errors import DataError, Explained
from streams.settings import Settings
from streams.store.warehouse import Warehouse

SHOWS = ("practicalai", "podcast", "friends", "news", "gotime", "jsparty", "shipit", "rfc")
DEFAULT = tuple(f"talks/changelog_{show}.jsonl.gz" for show in SHOWS)
FIRST_VIEW_MS, INTERACTION_MS, FIRST_BYTES = 1000.0, 200.0, 600_000
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/google-chrome")
REST_MS = 1000
"""A page has come to rest before somebody does something on it."""
CLOCK = """shown => {
  window.took = new Promise(done => {
    let begun = 0;
    for (const kind of ["click", "submit", "keydown"])
      addEventListener(kind, () => { begun ||= performance.now(); }, {capture: true});
    const look = () =>
      begun && document.querySelector(shown) ? done(performance.now() - begun) : requestAnimationFrame(look);
    look();
  });
}"""
"""Times, within the page, from what a reader does to the first frame that has what is shown then."""
VIEWED = """shown => {
  window.viewed = new Promise(done => {
    const look = () => document.querySelector(shown) ? done(performance.now()) : requestAnimationFrame(look);
    look();
  });
}"""
"""Times, within the page, from the beginning of its navigation to the first frame that has what is shown."""
DRAWN = "figure[data-chart][data-drawn]"
TALK = "main [id^='p-']"


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Run `groundswell web` over the study; yield its address."""
    from agents.instance.running_instance import serving

    own = {f"GROUNDSWELL_{name.upper()}": str(getattr(settings, name)) for name in ("home", "study")}
    process = subprocess.Popen(
        [sys.executable, "-m", "agents.cli", "web"],
        env=os.environ | own | {"GROUNDSWELL_WEB_PORT": "0"},
        cwd=settings.home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while (running := serving(settings)) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise DataError("groundswell web did not start", "start it by hand and see what it says")
            time.sleep(0.2)
        yield running.url
    finally:
        process.terminate()
        process.wait(20)


@dataclass(frozen=True)
class Interaction:
    """Something a reader does.

    Attributes:
        begin: the page they are on.
        act: what they do there.
        shown: the selector of what is there afterwards, and was not before.
    """

    name: str
    begin: str
    act: Callable[[Any], None]
    shown: str


def _press(selector: str) -> Callable[[Any], None]:
    return lambda page: page.locator(selector).first.click(no_wait_after=True)


def _on(path: str, selector: str) -> str:
    """Return a selector that holds on one page only: the menus say which it is."""
    return f"body:has(nav a[href^='{path}'][aria-current]) {selector}"


def _search(page: Any) -> None:
    page.locator("header input[type=search]").fill("kubernetes")
    page.locator("header input[type=search]").press("Enter", no_wait_after=True)


def _period(page: Any) -> None:
    page.get_by_label("From").fill("2021-01")
    page.locator("form.period button").click(no_wait_after=True)


def interactions(talk: str) -> list[Interaction]:
    """Return the pages that are timed; `talk`: the id of a long talk."""
    menu = "nav[aria-label=Pages] a[href^='{}']"
    return [
        Interaction("trends", "/", _press(menu.format("/trends")), f"#months{DRAWN[6:]}"),
        Interaction("co-occurrence", "/", _press(menu.format("/cooccurrence")), _on("/cooccurrence", DRAWN)),
        Interaction("topics", "/", _press(menu.format("/topics")), "ol.topics li"),
        Interaction("emerging", "/", _press(menu.format("/emerging")), "a[href^='/emerging'][aria-current]"),
        Interaction("talks", "/", _press(menu.format("/talks")), _on("/talks", "main a[href^='/talks/']")),
        Interaction("system", "/", _press(menu.format("/system")), "a[href^='/system'][aria-current]"),
        Interaction("a period", "/", _period, "input[name=first][value='2021-01']"),
        Interaction("a topic", "/topics", _press("ol.topics h2 a"), "main blockquote"),
        Interaction("composition", "/trends", _press("a[href^='/composition']"), _on("/composition", DRAWN)),
        Interaction("ranks", "/trends", _press("a[href^='/ranks']"), _on("/ranks", DRAWN)),
        Interaction("a talk", f"/talks?search={talk}", _press("main a[href^='/talks/']"), TALK),
        Interaction("search", "/", _search, "main mark"),
    ]


def measured(browser: Any, url: str, talk: str, visits: int) -> dict[str, Any]:
    """Open and use the pages; return medians in milliseconds and bytes."""
    first, size = [], 0
    for _ in range(visits):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        came: list[float] = []
        session.on(
            "Network.loadingFinished", lambda event, came=came: came.append(event["encodedDataLength"])
        )
        page.goto(url, wait_until="commit")
        page.evaluate(VIEWED, DRAWN)
        first.append(page.evaluate("window.viewed"))
        size = int(sum(came))
        context.close()
    used: dict[str, float] = {}
    unkept: dict[str, float] = {}
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    for each in interactions(talk):
        took = []
        for visit in range(visits + 1):
            page.goto(url + each.begin)
            page.wait_for_timeout(REST_MS)
            page.evaluate(CLOCK, each.shown)
            each.act(page)
            milliseconds = page.evaluate("window.took")
            if visit:
                took.append(milliseconds)
            else:
                unkept[each.name] = round(milliseconds, 1)
        used[each.name] = round(statistics.median(took), 1)
        print(f"{each.name:16} {used[each.name]:7.0f} ms, the first time {unkept[each.name]:.0f}", flush=True)
    context.close()
    return {
        "first_view_ms": round(statistics.median(first), 1),
        "first_bytes": size,
        "interactions_ms": used,
        "first_time_ms": unkept,
    }


def run(videos: list[streams.Video], paragraphs: int, visits: int) -> dict[str, Any]:
    """Make the study, serve it, use it.

    Raises:
        DataError: there is no browser.
    """
    from playwright.sync_api import sync_playwright

    browser_path = next((path for path in CHROMIUM if Path(path).exists()), None)
    if browser_path is None:
        raise DataError("there is no Chromium to measure in", "apt-get install -y chromium")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), study="benchmark")
        with Warehouse(settings) as warehouse:
            held: dict[str, Any] = write(warehouse, videos, paragraphs)
            talk = longest_talk(warehouse)
        print(f"{held['paragraphs']:,} paragraphs in {held['talks']:,} talks", flush=True)
        with served(settings) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            found = measured(browser, url, talk, visits)
            browser.close()
    slow = {name: ms for name, ms in found["interactions_ms"].items() if ms >= INTERACTION_MS}
    goals = {
        "first_view": found["first_view_ms"] < FIRST_VIEW_MS,
        "first_bytes": found["first_bytes"] <= FIRST_BYTES,
        "interactions": not slow,
    }
    return held | found | {"goals": goals, "slow": slow}


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--paragraphs", type=int, default=200_000, help="at least so many (200000)")
    parser.add_argument("--talks", type=Path, nargs="+", help="files of talks (JSONL, optionally gz)")
    parser.add_argument("--visits", type=int, default=7, help="so often each is done (7)")
    parser.add_argument("--out", type=Path, help="write the results to this file as JSON")
    arguments = parser.parse_args()
    try:
        files = arguments.talks or [streams.data_file(name) for name in DEFAULT]
        result = run(streams.read_all(files), arguments.paragraphs, arguments.visits)
    except Explained as error:
        print(f"{error.cause}: {error.cure}", file=sys.stderr)
        return 2
    print(
        f"first view {result['first_view_ms']:.0f} ms, {result['first_bytes']:,} bytes; "
        f"goals {result['goals']}"
    )
    if arguments.out:
        arguments.out.write_text(
            json.dumps({"machine": describe()} | result, indent=1) + "\n", encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
