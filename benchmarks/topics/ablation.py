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
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.machine import describe
from benchmarks.topics import concepts, onsets, planted, streams
from benchmarks.topics.baselines import WARM_UP, Alert
from benchmarks.topics.onsets import Detector
from benchmarks.topics.planting import Stream
from benchmarks.topics.scoring import Score
from benchmarks.topics.streams import Video
from models.errors import BadInput
from models.topics import TopicSettings, state
from models.topics.bursts import one_source, sources, sponsor_filter, term_bursts, term_clustering, terms
from models.topics.bursts.settings import BurstSettings
from models.topics.bursts.term_bursts import Spoken
from models.topics.bursts.term_clustering import TermCandidate
from models.topics.emergence import history_sample
from models.topics.emergence.history_sample import Past
from models.topics.emergence.settings import EmergenceSettings
from streams.errors import DataError

JUDGED = Path(__file__).with_name("judged_without_a_rule.csv")
BITCOIN = ("talks/bitcointranscripts.jsonl.gz", "talks/optech_podcast.jsonl.gz")
READ = ("shows", "bitcoin", "one show")
"""Streams without labels: only readers can say what is news."""
ABSTRACTS = "labelled/pyvideo_talk_abstracts.jsonl.gz"
NEVER, ALWAYS = 9.0, -9.0
"""Cosines that no pair of vectors reaches, and that every pair does."""

Patch = tuple[Any, str, Any]


@dataclass(frozen=True)
class Rule:
    """A rule of the channel, and how to take it away.

    Attributes:
        does: what it does.
        settings: other values of the channel's settings. patches: (owner, attribute, value) elsewhere.
        extracts: whether other terms are extracted without it.
    """

    does: str
    settings: dict[str, Any] = field(default_factory=dict)
    patches: tuple[Patch, ...] = ()
    extracts: bool = False

    @contextmanager
    def away(self, channel: str) -> Iterator[Detector]:
        """Take the rule away, and give what detects without it."""
        with ExitStack() as stack:
            for owner, name, value in self.patches:
                stack.enter_context(patch.object(owner, name, value))
            if self.extracts:
                stack.enter_context(patch.object(term_bursts, "extract_terms", terms.extract_terms))
                terms._word.cache_clear()
                stack.callback(terms._word.cache_clear)
            if channel == "terms":
                yield onsets.term_bursts(BurstSettings(**self.settings))
            else:
                changed = partial(EmergenceSettings, **self.settings)
                stack.enter_context(patch.object(state, "EmergenceSettings", changed))
                yield onsets.topic_model(TopicSettings())


def _no_verbs(of: Callable[..., TermCandidate]) -> Callable[..., TermCandidate]:
    return lambda *given: replace(of(*given), verb=0)


def _no_peak(summed: Callable[..., Past]) -> Callable[..., Past]:
    return lambda spoke: replace(summed(spoke), peak=0.0)


def _nobody(*_: object) -> bool:
    return False


ALL = "all rules"
TERMS: dict[str, Rule] = {
    ALL: Rule("nothing is taken away"),
    "ratio": Rule("recent share is six times the earlier share", {"ratio": 0.0}),
    "window_days": Rule("the window has no talk older than 400 days", {"window_days": 100_000}),
    "window_most": Rule("the window has at most 1,000 talks", {"window_most": 1_000_000}),
    "warm_up": Rule("30 talks must have left the window", {"warm_up": 1}),
    "mentions": Rule("a long talk must mention a term often", {"mentions": 1}),
    "names": Rule("one mention is enough for a name", {"name_mentions": 3}),
    "about": Rule("two talks must mention it often", {"about": 0}),
    "several_sources": Rule("several sources, more among many", {}, ((sources, "needed", lambda *_: 1),)),
    "source_share": Rule("a source counts for at most 40 %", {"source_share": 1.0}),
    "established": Rule(
        "a source without past counts once",
        {},
        ((sources, "established", lambda found, _: [*found.values()]),),
    ),
    "joined": Rule(
        "a source without past alone is not judged", {}, ((sources, "one_without_past", _nobody),)
    ),
    "sponsors": Rule("sponsor reads are left out", {}, ((sponsor_filter, "without", list),)),
    "persons": Rule("names of people are no subjects", {}, ((term_clustering, "is_person", _nobody),)),
    "verbs": Rule(
        "words used as verbs are no subjects", {}, ((TermCandidate, "of", _no_verbs(TermCandidate.of)),)
    ),
    "no_subject": Rule(
        "a list of words that name no subject",
        {},
        ((terms, "_stopped", lambda: terms.FILLERS | ENGLISH_STOP_WORDS),),
        extracts=True,
    ),
    "weak": Rule(
        "a list of words that name one with another only", {}, ((terms, "_HALF", frozenset()),), extracts=True
    ),
    "common_concentration": Rule("those of other terms more so", {"common_concentration": ALWAYS}),
    "relief": Rule("alike paragraphs make up for significance", {"relief": 0.0}),
    "spelling": Rule("spellings of one name are one", {}, ((term_clustering, "same_spelling", _nobody),)),
    "initials": Rule("so are a phrase and its initials", {}, ((term_clustering, "initials_of", _nobody),)),
    "shared_word": Rule("so are terms with a common word", {}, ((term_clustering, "share_a_word", _nobody),)),
    "same_paragraphs": Rule("so are terms said together", {}, ((term_clustering, "SAME_PARAGRAPHS", NEVER),)),
    "same_centre": Rule("… with alike paragraphs", {}, ((term_clustering, "SAME_CENTRE", NEVER),)),
    "same_video": Rule("… made news by one talk", {}, ((term_clustering, "SAME_VIDEO", NEVER),)),
    "companions": Rule("weaker names join a subject", {}, ((term_bursts, "COMPANIONS", 1),)),
    "one_persistent": Rule(
        "one source: for four weeks", {}, ((one_source, "PERSISTENT", one_source.PERSISTENT * 0),)
    ),
    "one_own": Rule("one source: 80 % of the mentions", {}, ((one_source, "OWN", 0.0),)),
    "one_discussed": Rule("one source: three talks mention it often", {}, ((one_source, "DISCUSSED", 0),)),
    "one_people": Rule(
        "one source: no speakers", {}, ((one_source.OneSource, "is_person", lambda *_: False),)
    ),
}


BIRTHS: dict[str, Rule] = {
    ALL: Rule("nothing is taken away"),
    "channel": Rule("new topics and bursts of paragraphs are candidates", {"trials": 0}),
    "warm_up": Rule("40 talks must have come before", {"warm_up": 1}),
    "ratio": Rule("recent share is five times any earlier one", {"ratio": 0.0}),
    "peak": Rule(
        "… also that of the busiest period",
        {},
        ((history_sample, "_summed", _no_peak(history_sample._summed)),),
    ),
    "three_sources": Rule("up to three sources, not two", {"sources": 2}),
    "source_share": Rule("a source counts for at most 40 %", {"source_share": 1.0}),
    "late": Rule("talks of half a year ago are the past", {"late": timedelta(days=100_000)}),
    "horizon": Rule("a candidate expires after 1,500 talks", {"horizon": 10**9}),
    "glimpses": Rule("bursts of paragraphs before a topic is born", {"glimpses": 0}),
    "glimpse_p": Rule("… within a time too short for chance", {"glimpse_log10_p": 0.0}),
    "same_paragraphs": Rule("sightings with common paragraphs are one", {"same_paragraphs": NEVER}),
    "same_cosine": Rule("… with near centroids", {"same_cosine": NEVER}),
    "named_cosine": Rule("… with a common name and less near ones", {"named_cosine": NEVER}),
    "new_name": Rule("a new name needs nearer centroids", {"new_name_cosine": 0.55}),
}
CHANNELS = {"terms": TERMS, "births": BIRTHS}


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


def verdicts() -> dict[tuple[str, str], dict[str, str]]:
    """Return what both readers say of each subject: {(subject, the source that alone has it): verdicts}."""
    found = {}
    for path in (JUDGED, onsets.JUDGED_OF_ONE_SOURCE, onsets.JUDGED):
        if not path.exists():
            continue
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found[row["subject"].lower(), row.get("source", "")] = row
    return found


def judged(alerts: Sequence[Alert], known: dict[tuple[str, str], dict[str, str]]) -> dict[str, Any]:
    """Count the alerts that are news to both readers, to one, to none, and those that nobody has judged."""
    said: Counter[str] = Counter()
    for alert in alerts:
        row = known.get((alert.subject.lower(), alert.only_on))
        read = [row[reader] for reader in onsets.READERS if row[reader]] if row else []
        yes = read.count("yes")
        said["not judged" if len(read) < 2 else ("to none", "to one", "to both")[yes]] += 1
    return {
        "alerts": len(alerts),
        **{key: said[key] for key in ("to both", "to one", "to none", "not judged")},
    }


def compared(told: Told, whole: Told, known: dict[tuple[str, str], dict[str, str]]) -> dict[str, Any]:
    """Return the figures of a stream without a rule, beside those with all rules."""

    def names(of: Told) -> set[tuple[str, str]]:
        return {(alert.subject, alert.only_on) for alert in (*of.alerts, *of.of_one_source)}

    days, before = told.figures.get("days_of", {}), whole.figures.get("days_of", {})
    later = [days[name] - before[name] for name in days if name in before]
    return {
        "several": judged(told.alerts, known),
        "of_one_source": judged(told.of_one_source, known),
        **{key: value for key, value in told.figures.items() if key != "days_of"},
        "concepts_lost": sorted(before.keys() - days.keys()),
        "concepts_gained": sorted(days.keys() - before.keys()),
        "days_later": sum(later),
        "gone": sorted(map(list, names(whole) - names(told))),
        "come": sorted(map(list, names(told) - names(whole))),
    }


def sheet(found: dict[str, Told], known: dict[tuple[str, str], dict[str, str]]) -> list[dict[str, str]]:
    """Return the alerts that no reader has judged, shuffled, each once."""
    rows = {}
    for told in found.values():
        for alert in (*told.alerts, *told.of_one_source):
            key = (alert.subject.lower(), alert.only_on)
            if key in known or key in rows:
                continue
            quotes = [f"[{q.source}, {q.published_on}] {q.text}" for q in alert.quotes]
            rows[key] = {
                "subject": alert.subject,
                "source": alert.only_on,
                "terms": ", ".join(alert.terms[:6]),
                "first_quote": quotes[0],
                "latest_quote": quotes[-1],
                **dict.fromkeys((*onsets.READERS, "why"), ""),
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


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--channel", choices=[*CHANNELS], default="terms", help="whose rules (terms)")
    parser.add_argument("--rules", nargs="+", help="only without these")
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
    known = verdicts()
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
