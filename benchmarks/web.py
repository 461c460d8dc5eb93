"""How fast the pages are in a real browser, over 200,000 paragraphs of real talks in the embedded engine.

python benchmarks/web.py [--paragraphs 200000] [--talks FILE …] [--visits 7] [--out FILE.json]

The talks are real transcripts, told again under other ids and later dates until there are enough; what each
paragraph is about is drawn, because the pages take as long whatever it is: 200 topics in the codebook's and
32 more themes, a few frequent, most rare, and a talk comes back to the same few. `groundswell web` serves
them in a process of its own, Chromium opens them:

- `first view`: a page in a browser that has nothing of it yet, until its chart is drawn; and what came over
  the wire, compressed;
- each interaction (another page, a period, a topic, a talk, a search): from the click until the page shows
  what was asked for, in a browser that has been there before.

Goals: first view below 1 s, every interaction below 200 ms (medians), the first page within 600 kB. Absolute
times depend on the machine and on what else it does.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.machine import describe
from benchmarks.topics import streams
from models.codebook import load
from streams import events as e
from streams.errors import DataError, Explained
from streams.settings import Settings
from streams.store import writer
from streams.store.warehouse import Row, Warehouse

SHOWS = ("practicalai", "podcast", "friends", "news", "gotime", "jsparty", "shipit", "rfc")
DEFAULT = tuple(f"talks/changelog_{show}.jsonl.gz" for show in SHOWS)
MODEL, TRANSCRIPT = "drawn", "drawn-1"
TOPICS, THEMES, OF_TALK = 200, 32, 5
BLOCK = 100
"""Talks written at a time."""
AGAIN = timedelta(days=13)
"""So much later a talk is told again."""
FIRST_VIEW_MS, INTERACTION_MS, FIRST_BYTES = 1000.0, 200.0, 600_000
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/google-chrome")
DRAWN = "figure[data-chart][data-drawn]"
TALK = "main [id^='p-']"


def told(videos: list[streams.Video], paragraphs: int) -> Iterator[tuple[int, str, streams.Video]]:
    """Yield (number, id, talk) until there are so many paragraphs: the talks, and then again, later."""
    count, number = 0, 0
    for turn in itertools.count():
        for video in videos:
            if count >= paragraphs:
                return
            yield number, f"{video.video_id}~{turn}" if turn else video.video_id, video
            count += len(video.texts)
            number += 1


def write(warehouse: Warehouse, videos: list[streams.Video], paragraphs: int) -> dict[str, int]:
    """Fill an empty study; return how much it holds."""
    warehouse.migrate()
    named = load("llm-in-production").topics
    born = (
        e.TopicBorn(
            model_version=MODEL,
            topic_id=number,
            sequence=0,
            label=named[number - 1].name if number <= len(named) else f"Subject {number}",
            words=tuple((f"word{number}_{rank}", 1 / (rank + 1)) for rank in range(10)),
            origin="seeded",
            theme=named[number - 1].theme if number <= len(named) else f"Theme {number % THEMES}",
        )
        for number in range(1, TOPICS + 1)
    )
    writer.write(warehouse, (row for event in born for row in writer.rows_of(event)))
    held = {"talks": 0, "paragraphs": 0}
    rows: list[tuple[str, Row]] = []
    for number, video_id, video in told(videos, paragraphs):
        rows += _talk(number, video_id, video)
        held = {"talks": number + 1, "paragraphs": held["paragraphs"] + len(video.texts)}
        if number % BLOCK == BLOCK - 1:
            writer.write(warehouse, rows)
            rows = []
    writer.write(warehouse, rows)
    return held


def _talk(number: int, video_id: str, video: streams.Video) -> Iterator[tuple[str, Row]]:
    draw = random.Random(number)
    about = [1 + int(TOPICS * draw.random() ** 2) for _ in range(OF_TALK)]
    published_at = video.published_at + (AGAIN if "~" in video_id else timedelta())
    of = e.Video(
        video_id=video_id,
        title=video.title,
        show=video.source,
        url=f"https://www.youtube.com/watch?v={number:011}",
        published_at=published_at,
        duration_s=video.starts[-1] + 60,
        language="en",
        speakers=(f"Speaker {number % 300}",),
    )
    ids = [e.paragraph_id(video_id, TRANSCRIPT, position) for position in range(len(video.texts))]
    yield from writer.rows_of(
        e.VideoSeen(
            video=of,
            sighting=e.Sighting(source_id=video.source, kind="file", seen_at=published_at),
        )
    )
    yield from writer.rows_of(e.VideoAccepted(video=of))
    yield from writer.rows_of(
        e.TranscriptReady(
            video=of,
            transcript=e.Blob(key=f"transcripts/{number}", sha256="0" * 64, size=1),
            transcript_version=TRANSCRIPT,
            language="en",
            duration_s=of.duration_s or 0.0,
            words=sum(len(text.split()) for text in video.texts),
            speakers=1,
        )
    )
    ends = (*video.starts[1:], video.starts[-1] + 60)
    for position, name in enumerate(ids):
        yield writer.paragraph_row(
            video_id,
            TRANSCRIPT,
            position,
            paragraph_id=name,
            start_s=video.starts[position],
            end_s=ends[position],
            text=video.texts[position],
            speakers=list(of.speakers),
            tokens=200,
        )
    yield from writer.rows_of(
        e.ParagraphsAssigned(
            video=of,
            video_index=number,
            model_version=MODEL,
            transcript_version=TRANSCRIPT,
            sequence=number + 1,
            assignments=tuple(
                e.AssignedParagraph(
                    paragraph_id=name,
                    topic_id=draw.choice(about) if draw.random() < 0.8 else None,
                    probability=round(draw.random(), 3),
                )
                for name in ids
            ),
        )
    )


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Run `groundswell web` over the study; yield its address."""
    from agents.running import find

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
        while (running := find(settings)) is None:
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
    """What is timed; `talk`: the id of a long one."""
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
        begun = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.wait_for_selector(DRAWN)
        first.append(1000 * (time.perf_counter() - begun))
        size = int(sum(came))
        context.close()
    used: dict[str, float] = {}
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    for each in interactions(talk):
        took = []
        for visit in range(visits + 1):
            page.goto(url + each.begin)
            page.wait_for_load_state("load")
            begun = time.perf_counter()
            each.act(page)
            page.wait_for_selector(each.shown, state="attached")
            if visit:
                took.append(1000 * (time.perf_counter() - begun))
        used[each.name] = round(statistics.median(took), 1)
        print(f"{each.name:16} {used[each.name]:7.0f} ms", flush=True)
    context.close()
    return {"first_view_ms": round(statistics.median(first), 1), "first_bytes": size, "interactions_ms": used}


def longest_talk(warehouse: Warehouse) -> str:
    """Return the id of the talk with the most paragraphs."""
    rows = warehouse.rows(
        "SELECT video_id FROM paragraphs FINAL GROUP BY video_id ORDER BY count() DESC, video_id LIMIT 1"
    )
    return str(rows[0]["video_id"])


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
