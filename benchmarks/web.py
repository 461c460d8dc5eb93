"""Speed of the pages in a real browser, over 200,000 paragraphs of real talks in the embedded engine.

python benchmarks/web.py [--paragraphs 200000] [--talks FILE …] [--visits 7] [--out FILE.json]

The talks are real transcripts, told again until there are enough; what each paragraph is about is drawn
(`benchmarks/retold.py`), because the pages take as long whatever it is. `groundswell web` serves them in a
process of its own, Chromium opens them:

- `first view`: a page in a browser that has nothing of it yet, from where the browser begins to open it until
  the first frame with its chart; and what came over the wire, compressed;
- each interaction (another page, a period, a topic, a talk, a search): from the click on a page at rest until
  what was asked for is there, timed within the page, in a browser that has been there before;
- `after a talk`: each interaction at once after another talk was stored, which invalidates the kept views
  (ADR 22); and the first time, when nothing of the page is kept or has run yet, which no goal is set for.

Goals: first view below 1 s, every interaction below 200 ms, and within 300 ms after a talk (medians); the
first page within 600 kB. Absolute times depend on the machine and on what else it does.
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

from benchmarks import web_process
from benchmarks.machine import describe
from benchmarks.retold import longest_talk, write
from benchmarks.topics import streams
from streams.errors import DataError, Explained
from streams.settings import Settings
from streams.store.warehouse import Warehouse

SHOWS = ("practicalai", "podcast", "friends", "news", "gotime", "jsparty", "shipit", "rfc")
DEFAULT = tuple(f"talks/changelog_{show}.jsonl.gz" for show in SHOWS)
FIRST_VIEW_MS, INTERACTION_MS, AFTER_TALK_MS, FIRST_BYTES = 1000.0, 200.0, 300.0, 600_000
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-headless-shell", "/usr/bin/google-chrome")
SCREEN = {"width": 1280, "height": 900}
AFTER_TALKS = 3
"""So often each is done after another talk was stored."""
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


@dataclass(frozen=True)
class Served:
    """A study that is served; `store` stores one talk more."""

    url: str
    store: Callable[[], None]


@contextmanager
def served(settings: Settings, talks: Path) -> Iterator[Served]:
    """Run `benchmarks/web_process.py` over the study; `talks`: the file with the talk that it stores."""
    from agents.instance.running_instance import serving

    own = {f"GROUNDSWELL_{name.upper()}": str(getattr(settings, name)) for name in ("home", "study")}
    process = subprocess.Popen(
        [sys.executable, web_process.__file__, str(talks.absolute())],
        env=os.environ | own | {"GROUNDSWELL_WEB_PORT": "0"},
        cwd=settings.home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    asks, answers = process.stdin, process.stdout
    assert asks is not None and answers is not None

    def store() -> None:
        print(file=asks, flush=True)
        if not any(line.strip() == web_process.STORED for line in answers):
            raise DataError("groundswell web has ended", "start it by hand and see what it says")

    try:
        deadline = time.monotonic() + 120
        while (running := serving(settings)) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise DataError("groundswell web did not start", "start it by hand and see what it says")
            time.sleep(0.2)
        yield Served(running.url, store)
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


def first_view(browser: Any, url: str) -> tuple[float, int]:
    """Return how long a browser that has nothing of the first page waits for it, and the bytes it gets."""
    context = browser.new_context(viewport=SCREEN)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    came: list[float] = []
    session.on("Network.loadingFinished", lambda event: came.append(event["encodedDataLength"]))
    page.goto(url, wait_until="commit")
    page.evaluate(VIEWED, DRAWN)
    took = page.evaluate("window.viewed")
    context.close()
    return took, int(sum(came))


def used(page: Any, url: str, each: Interaction, before: Callable[[], None] = lambda: None) -> float:
    """Return how long an interaction takes on a page at rest; `before`: what happens just before it."""
    page.goto(url + each.begin)
    page.wait_for_timeout(REST_MS)
    page.evaluate(CLOCK, each.shown)
    before()
    each.act(page)
    took: float = page.evaluate("window.took")
    return took


def measured(browser: Any, study: Served, talk: str, visits: int) -> dict[str, Any]:
    """Open and use the pages; return medians in milliseconds and bytes."""
    views = [first_view(browser, study.url) for _ in range(visits)]
    times: dict[str, dict[str, float]] = {"interactions_ms": {}, "after_talk_ms": {}, "first_time_ms": {}}
    context = browser.new_context(viewport=SCREEN)
    page = context.new_page()
    for each in interactions(talk):
        first = used(page, study.url, each)
        kept = statistics.median(used(page, study.url, each) for _ in range(visits))
        after = statistics.median(used(page, study.url, each, study.store) for _ in range(AFTER_TALKS))
        for name, took in zip(times, (kept, after, first), strict=True):
            times[name][each.name] = round(took, 1)
        print(f"{each.name:16} {kept:5.0f} ms, after a talk {after:.0f}, first time {first:.0f}", flush=True)
    context.close()
    return {
        "first_view_ms": round(statistics.median(took for took, _ in views), 1),
        "first_bytes": views[-1][1],
        **times,
    }


def run(files: list[Path], paragraphs: int, visits: int) -> dict[str, Any]:
    """Make the study from files of talks, serve it, use it.

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
            held: dict[str, Any] = write(warehouse, streams.read_all(files), paragraphs)
            talk = longest_talk(warehouse)
        print(f"{held['paragraphs']:,} paragraphs in {held['talks']:,} talks", flush=True)
        with served(settings, files[0]) as study, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            found = measured(browser, study, talk, visits)
            browser.close()
    most = {"interactions_ms": INTERACTION_MS, "after_talk_ms": AFTER_TALK_MS}
    slow = {kind: {name: ms for name, ms in found[kind].items() if ms >= most[kind]} for kind in most}
    goals = {
        "first_view": found["first_view_ms"] < FIRST_VIEW_MS,
        "first_bytes": found["first_bytes"] <= FIRST_BYTES,
        "interactions": not slow["interactions_ms"],
        "after_talk": not slow["after_talk_ms"],
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
        result = run(files, arguments.paragraphs, arguments.visits)
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
