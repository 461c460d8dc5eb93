"""What is each rule of emergence worth? Every rule is taken away in turn, on all streams.

    python benchmarks/topics/ablation.py --out ablation.json --sheet sheet.csv
    python benchmarks/topics/ablation.py --rules sponsors persons --streams shows --jobs 2
    python benchmarks/topics/ablation.py --channel births --streams "one show" newsletter planted

Streams: the talks of ten shows (alerts judged by two readers, concepts with known onsets), the talks of
Bitcoin developers (alerts judged), one show, newsletter items and conference abstracts (labels that begin to
be used), and planted subjects with as many null streams. The first two are without vectors, which take hours
to make, so that rules about similar paragraphs have no effect there. The term channel is measured by itself,
the birth channel's rules within the whole topic model.

`--sheet` writes the alerts that no reader has judged and that some rule keeps away, shuffled and without the
rule, for readers; their verdicts are in judged_without_a_rule.csv beside this. Both readers are language
models that were shown no other verdict. A rule is worth what changes when it is taken away: alerts that are
not news must rise, or news be lost, or a concept come later.
"""

from __future__ import annotations

import argparse
import csv
import gc
import json
import multiprocessing
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.machine import describe
from benchmarks.topics import concepts, onsets, planted, streams, verdicts
from benchmarks.topics.baselines import WARM_UP, Alert
from benchmarks.topics.emergence_rules import ALL, CHANNELS
from benchmarks.topics.onsets import Detector
from benchmarks.topics.planting import Stream
from benchmarks.topics.scoring import Score
from benchmarks.topics.streams import Video
from benchmarks.topics.verdicts import Verdicts
from models.errors import BadInput
from models.topics.bursts import sponsor_filter, term_bursts, terms
from models.topics.bursts.term_bursts import Spoken
from streams.errors import DataError

BITCOIN = ("talks/bitcointranscripts.jsonl.gz", "talks/optech_podcast.jsonl.gz")
READ = ("shows", "bitcoin", "one show")
"""Streams without labels: only readers can say what is news."""
ABSTRACTS = "labelled/pyvideo_talk_abstracts.jsonl.gz"


@dataclass(frozen=True)
class Told:
    """What the channel said of a stream.

    Attributes:
        alerts, of_one_source: of several sources, and of one.
        figures: of labels or planted subjects.
    """

    alerts: list[Alert]
    of_one_source: list[Alert]
    figures: dict[str, Any]


class Shows:
    """A stream of talks or texts, with its onsets."""

    def __init__(self, names: Sequence[str], groups: Sequence[str], *, vectors: bool) -> None:
        videos = streams.read_all([streams.data_file(name) for name in names], None)
        rows = onsets.embedded(videos) if vectors else [np.zeros((len(v.texts), 0)) for v in videos]
        self._spoken = onsets.spoken(videos, rows)
        left = {each.video_id for each in self._spoken}
        self._videos: list[Video] = [video for video in videos if video.video_id in left]
        of = concepts.of_shows(self._videos, groups, WARM_UP) if groups else None
        self._clear, self._others = of or concepts.of_labels(self._videos, WARM_UP)

    def tell(self, detect: Detector) -> Told:
        """Return the alerts, and how many of the known onsets they find."""
        found = detect(self._spoken)
        alerts = [alert for alert in found if not alert.only_on]
        scored = onsets.score(alerts, self._clear, self._others, self._videos)
        figures = {
            "onsets": scored["all"]["concepts"],
            "found": scored["all"]["found"],
            "days": scored["all"]["median_days_after_onset"],
            "other_alerts_per_10k": scored["other_alerts_per_10k"],
            "days_of": {
                row["concept"]: row["days_after_onset"] for row in scored["concepts"] if row["alert"]
            },
        }
        return Told(alerts, [alert for alert in found if alert.only_on], figures)


class Planted:
    """Planted and null streams of newsletter items."""

    def __init__(self, seeds: int) -> None:
        garden = planted.garden(streams.data_file(planted.DEFAULT), planted.VIDEOS)
        made = [make(seed) for seed in range(seeds) for make in (garden.planted, garden.null)]
        self._streams: list[tuple[Stream, list[Spoken]]] = [
            (stream, [planted.spoken(batch) for batch in planted.batches(stream)]) for stream in made
        ]

    def tell(self, detect: Detector) -> Told:
        """Return the alerts, and how many of the planted subjects they find."""
        score, told = Score(), []
        for stream, spoken in self._streams:
            found = [alert for alert in detect(spoken) if not alert.only_on]
            score.count(stream, found)
            told += found
        report = score.report()
        return Told(told, [], {name: report[name] for name in ("recall", "false_per_10k", "null_per_10k")})


STREAMS: dict[str, Callable[[int], Shows | Planted]] = {
    "shows": lambda _: Shows(
        [f"talks/{name}.jsonl.gz" for name in onsets.SHOWS], ["changelog_all", "talkpython"], vectors=False
    ),
    "bitcoin": lambda _: Shows(BITCOIN, [], vectors=False),
    "one show": lambda _: Shows([f"talks/{onsets.SHOWS[0]}.jsonl.gz"], ["practicalai"], vectors=True),
    "newsletter": lambda _: Shows([onsets.OPTECH], [], vectors=True),
    "abstracts": lambda _: Shows([ABSTRACTS], [], vectors=True),
    "planted": Planted,
}


@contextmanager
def remembering() -> Iterator[None]:
    """Extract the terms of a text once, however many rules are taken away."""
    extract, filtered = terms.extract_terms, sponsor_filter.without
    extracted = lru_cache(maxsize=None)(extract)
    cleaned = lru_cache(maxsize=None)(filtered)
    with (
        patch.object(term_bursts, "extract_terms", lambda texts: extracted(tuple(texts))),
        patch.object(sponsor_filter, "without", lambda texts: cleaned(tuple(texts))),
    ):
        yield


def compared(told: Told, whole: Told, known: Verdicts) -> dict[str, Any]:
    """Return the figures of a stream without a rule, beside those with all rules."""

    def names(of: Told) -> set[tuple[str, str]]:
        return {(alert.subject, alert.only_on) for alert in (*of.alerts, *of.of_one_source)}

    days, before = told.figures.get("days_of", {}), whole.figures.get("days_of", {})
    later = [days[name] - before[name] for name in days if name in before]
    return {
        "several": verdicts.by_agreement(told.alerts, known),
        "of_one_source": verdicts.by_agreement(told.of_one_source, known),
        **{key: value for key, value in told.figures.items() if key != "days_of"},
        "concepts_lost": sorted(before.keys() - days.keys()),
        "concepts_gained": sorted(days.keys() - before.keys()),
        "days_later": sum(later),
        "gone": sorted(map(list, names(whole) - names(told))),
        "come": sorted(map(list, names(told) - names(whole))),
    }


def sheet(found: dict[str, Told], known: Verdicts) -> list[dict[str, str]]:
    """Return the alerts that no reader has judged, shuffled, each once."""
    rows = {}
    for told in found.values():
        for alert in (*told.alerts, *told.of_one_source):
            key = verdicts.key(alert)
            if key in known or key in rows:
                continue
            quotes = [f"[{q.source}, {q.published_on}] {q.text}" for q in alert.quotes]
            rows[key] = {
                "subject": alert.subject,
                "source": alert.only_on,
                "terms": ", ".join(alert.terms[:6]),
                "first_quote": quotes[0],
                "latest_quote": quotes[-1],
                **dict.fromkeys((*verdicts.READERS, "why"), ""),
            }
    shuffled = list(rows.values())
    random.Random(0).shuffle(shuffled)
    return shuffled


_measured: list[Shows | Planted] = []
"""The stream that is measured; processes inherit it."""


def _without(channel: str, name: str) -> tuple[str, Told]:
    with CHANNELS[channel][name].away(channel) as detect:
        return name, _measured[0].tell(detect)


def ablate(stream: Shows | Planted, channel: str, rules: Sequence[str], jobs: int) -> dict[str, Told]:
    """Return what is alerted of a stream with all rules, and without each of these."""
    _measured[:] = [stream]
    with remembering():
        found = dict([_without(channel, ALL)])  # and the memory is filled before processes share it
        gc.freeze()
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            for name, told in pool.imap_unordered(partial(_without, channel), rules):
                found[name] = told
                print(f"   without {name}: {len(told.alerts)} alerts", file=sys.stderr, flush=True)
        gc.unfreeze()
    return {name: found[name] for name in (ALL, *rules)}


def show(name: str, result: dict[str, Any]) -> None:
    """Print the figures of a stream, a line a rule."""
    print(f"\n== {name}")
    print("   alerts (news to both, to one, to none, not judged); of one source; gone / come; figures")
    for rule, row in result.items():
        counts = "; ".join(
            f"{part['alerts']} ({part['to both']}, {part['to one']}, {part['to none']}, {part['not judged']})"
            for part in (row["several"], row["of_one_source"])
        )
        figures = {
            key: value
            for key, value in row.items()
            if key not in ("several", "of_one_source", "gone", "come") and value not in ([], None)
        }
        print(f"   {rule:22}{counts}; {len(row['gone'])} / {len(row['come'])}; {json.dumps(figures)}")


def listed() -> str:
    """Return what each rule does, a line a rule."""
    lines: list[str] = []
    for channel, rules in CHANNELS.items():
        lines.append(f"rules of {channel}:")
        lines += [f"  {name:22}{rule.does}" for name, rule in rules.items() if name != ALL]
    return "\n".join(lines)


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=listed(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--channel", choices=[*CHANNELS], default="terms", help="whose rules (terms)")
    parser.add_argument("--rules", nargs="+", help="only without these (listed below)")
    parser.add_argument("--streams", nargs="+", choices=[*STREAMS], default=[*STREAMS], help="only these")
    parser.add_argument("--seeds", type=int, default=5, help="planted and null streams (5)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--sheet", type=Path, help="where to write the alerts that nobody has judged")
    parser.add_argument("--out", type=Path, help="where to write the figures as JSON")
    given = parser.parse_args()
    names = [name for name in CHANNELS[given.channel] if name != ALL]
    rules = given.rules or names
    if unknown := sorted(set(rules) - set(names)):
        parser.error(f"no rule {', '.join(unknown)}; there are {', '.join(names)}")
    known = verdicts.read(verdicts.WITHOUT_A_RULE, verdicts.OF_ONE_SOURCE, verdicts.OF_SEVERAL)
    figures: dict[str, Any] = {}
    unread: list[dict[str, str]] = []
    try:
        for name in given.streams:
            found = ablate(STREAMS[name](given.seeds), given.channel, rules, given.jobs)
            figures[name] = {rule: compared(told, found[ALL], known) for rule, told in found.items()}
            show(name, figures[name])
            if name in READ:
                unread += sheet(found, known)
    except (DataError, BadInput) as error:
        print(f"error: {error.cause}\n  cure: {error.cure}", file=sys.stderr)
        return 1
    if given.out:
        text = json.dumps({"machine": describe(), "channel": given.channel, "streams": figures}, indent=1)
        given.out.write_text(text + "\n")
    if given.sheet and unread:
        with given.sheet.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(unread[0]))
            writer.writeheader()
            writer.writerows(unread)
    return 0


if __name__ == "__main__":
    sys.exit(main())
