"""Share of boilerplate in real shows, with a sample of the removed text to read.

    python benchmarks/topics/boilerplate.py --out boilerplate.json
    python benchmarks/topics/boilerplate.py --stream talks.jsonl.gz --out boilerplate.json

Without --stream: the shows in SHOWS by date, all through one `Boilerplate`, as a study of these shows would
hear them. `sample` lists paragraphs drawn at random with a fixed seed: `left_out`, and `nearly_left_out` (at
least NEARLY of the words repeated). What a reader thought of such a sample is JUDGED. `known` counts the
paragraphs with a phrase that is known to be boilerplate, from the third video on, and how many lost it.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.topics.streams import Video, data_file, read_all
from models.topics.online.boilerplate import Boilerplate, BoilerplateSettings
from streams.errors import DataError

SHOWS = tuple(
    f"talks/{name}.jsonl.gz"
    for name in (
        "changelog_practicalai",
        "changelog_friends",
        "changelog_jsparty",
        "changelog_gotime",
        "changelog_shipit",
        "talkpython",
    )
)
SAMPLE = 60
NEARLY = 0.2
SEED = 1

KNOWN = (
    "follow me on mastodon",
    "this portion of talk python",
    "you can also find the itunes feed",
    "i'm joined as always by my co-host",
    "keep you fully connected",
)

JUDGED = {
    "left_out": {
        "read": 60,
        "greeting, introduction, good-bye or sponsor read": 60,
        "half a subject, too": 8,
    },
    "nearly_left_out": {"read": 60, "hardly more than a greeting, a good-bye or a sponsor read": 14},
}
"""Of one sample of the shows in SHOWS, by one reader: what was left out with under .62 of its words repeated
in full, the rest by beginning and end. The 8: talks that begin with what they are about, or end with a last
answer, and three paragraphs in which a sponsor read is half. None was left out without a reason."""


def measure(videos: Sequence[Video], settings: BoilerplateSettings) -> dict[str, Any]:
    """Screen the videos in order; returns shares, spans, cost and samples."""
    boilerplate = Boilerplate(settings)
    shows: dict[str, Counter[str]] = {}
    spans: dict[str, Counter[str]] = {}
    left_out: list[dict[str, Any]] = []
    nearly: list[dict[str, Any]] = []
    known = {phrase: Counter[str]() for phrase in KNOWN}
    seconds = 0.0
    for video in videos:
        began = time.process_time()
        screened = boilerplate.screen(video.source, video.video_id, video.texts)
        seconds += time.process_time() - began
        count = shows.setdefault(video.source, Counter())
        count["talks"] += 1
        for phrase, told in known.items():
            says = [place for place, text in enumerate(video.texts) if phrase in text.lower()]
            if says and told["videos"] >= 2:
                told["paragraphs"] += len(says)
                told["lost_it"] += sum(phrase not in screened.texts[place].lower() for place in says)
            told["videos"] += bool(says)
        for place, text in enumerate(video.texts):
            share = float(screened.repeated_share[place])
            count["paragraphs"] += 1
            count["words"] += len(text.split())
            count["words_repeated"] += round(share * len(text.split()))
            found = {"video": video.video_id, "paragraph": place, "share": round(share, 2), "text": text}
            if screened.boilerplate[place]:
                count["left_out"] += 1
                left_out.append(found)
                opening = " ".join(text.split()[:8]).lower()
                spans.setdefault(video.source, Counter())[opening] += 1
            elif share >= NEARLY:
                count["nearly_left_out"] += 1
                nearly.append(found | {"kept": screened.texts[place]})
    draw = random.Random(SEED)
    paragraphs = sum(count["paragraphs"] for count in shows.values())
    return {
        "settings": asdict(settings),
        "talks": len(videos),
        "paragraphs": paragraphs,
        "cpu_ms_per_30_paragraphs": round(30_000 * seconds / paragraphs, 2),
        "state_mb": round(sum(part.nbytes for part in boilerplate.to_arrays().values()) / 1e6, 1),
        "shows": {show: _shares(count) for show, count in sorted(shows.items())},
        "known": {phrase: dict(told) for phrase, told in known.items()},
        "openings_left_out_most": {show: count.most_common(8) for show, count in sorted(spans.items())},
        "judged": JUDGED,
        "sample": {
            "left_out": draw.sample(left_out, min(SAMPLE, len(left_out))),
            "nearly_left_out": draw.sample(nearly, min(SAMPLE, len(nearly))),
        },
    }


def _shares(count: Counter[str]) -> dict[str, float]:
    return {
        "talks": count["talks"],
        "paragraphs": count["paragraphs"],
        "left_out": count["left_out"],
        "left_out_share": round(count["left_out"] / count["paragraphs"], 4),
        "left_out_per_talk": round(count["left_out"] / count["talks"], 2),
        "nearly_left_out": count["nearly_left_out"],
        "words_repeated_share": round(count["words_repeated"] / max(count["words"], 1), 4),
    }


def main() -> int:
    """Measure, print the shares, write everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="boilerplate.py"
    )
    parser.add_argument("--stream", type=Path, nargs="+", help="talks (JSONL, may be gz); default: the shows")
    parser.add_argument("--limit", type=int, help="only so many videos, the oldest")
    parser.add_argument("--out", type=Path, help="write the result here as JSON")
    arguments = parser.parse_args()
    try:
        paths = arguments.stream or [data_file(name) for name in SHOWS]
        videos = read_all(paths, arguments.limit)
    except DataError as error:
        print(f"error: {error.cause}\n  cure: {error.cure}", file=sys.stderr)
        return 1
    result = measure(videos, BoilerplateSettings())
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps({key: value for key, value in result.items() if key != "sample"}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
