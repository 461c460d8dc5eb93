"""Precision of names from introductions, on transcripts whose speakers people named.

    python benchmarks/introductions.py [--shows changelog_practicalai …] --out FILE.json

An offered name counts as right if it shares a word with the name that the transcript gives the speaker; so a
nickname counts as wrong ("Murch", "KBall"). The rules were made on practicalai and shipit; the other shows
were looked at once after that, and the name of a show after "welcome to" left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.topics.streams import data_folder
from models.speakers.introductions import Introduction, introductions
from models.transcripts.transcript import Segment

MADE_ON = ("changelog_practicalai", "changelog_shipit")
SHOWS = (
    *MADE_ON,
    "changelog_friends",
    "changelog_gotime",
    "changelog_jsparty",
    "changelog_podcast",
    "changelog_rfc",
    "optech_podcast",
)


def segments_of(talk: dict[str, Any]) -> list[Segment]:
    """Return what is said in a talk, with the names of speakers as they were given."""
    found = []
    for said in talk["segments"]:
        start = float(said.get("start") or said.get("start_est") or 0)
        found.append(Segment(start=start, end=start, text=said["text"], speaker=said.get("speaker") or None))
    return found


def is_right(found: Introduction) -> bool:
    """Return whether the name shares a word with the speaker's.

    Example:
        >>> is_right(Introduction("Jerod Santo", "Jerod", 0.0, "I'm Jerod", own=True))
        True
    """
    return bool(set(found.name.casefold().split()) & set(found.speaker.casefold().split()))


def measured(talks: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Return what is offered in talks, how much of it is right, and what is wrong."""
    offered, right, speakers, named = 0, 0, 0, 0
    wrong = []
    for talk in talks:
        segments = segments_of(talk)
        found = introductions(segments)
        good = [each for each in found if is_right(each)]
        offered, right = offered + len(found), right + len(good)
        speakers += len({segment.speaker for segment in segments if segment.speaker})
        named += len({each.speaker for each in good})
        wrong += [each._asdict() | {"talk": talk["id"]} for each in found if not is_right(each)]
    return {"offered": offered, "right": right, "speakers": speakers, "named": named, "wrong": wrong}


def main() -> int:
    """Measure each show, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shows", nargs="+", default=SHOWS, help="files in the data's folder of talks")
    parser.add_argument("--out", type=Path, help="write the figures and everything wrong here as JSON")
    arguments = parser.parse_args()
    results = {}
    for show in arguments.shows:
        path = data_folder() / "talks" / f"{show}.jsonl.gz"
        if not path.exists():
            print(f"error: {path} is not there: let GROUNDSWELL_TEST_DATA name the data", file=sys.stderr)
            return 2
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            results[show] = found = measured(json.loads(line) for line in lines)
        share = found["right"] / found["offered"] if found["offered"] else 0
        print(
            f"{show:22} {found['offered']:4} offered, {share:4.0%} right; "
            f"{found['named']} of {found['speakers']} speakers named"
        )
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
