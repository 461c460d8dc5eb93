"""Is what is alerted news, and how early? Real onsets: ten shows' talks, a newsletter, any stream.

    python benchmarks/topics/onsets.py --out onsets.json
    python benchmarks/topics/onsets.py --talks changelog_practicalai.jsonl.gz
    python benchmarks/topics/onsets.py --stream FILE --out FILE.json
    python benchmarks/topics/onsets.py --bertrend PYTHON

For a stream with labels, a label that appears late and then comes into use is an onset; without labels the
alerts are only listed. Every alert comes with its first and latest quote, so that anyone can judge whether it
is news; what two readers said, and why, is in judged_alerts.csv and judged_of_one_source.csv beside this.
The first reader of judged_alerts.csv made the rules; the others are language models that were shown no other
verdict. Concepts fall into two halves by a hash of their name; settings may be chosen on `tune` only. What
one source nearly alone discusses is an alert of a grade of its own: it is judged and listed apart, and finds
no concept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.machine import describe
from benchmarks.topics import concepts, streams, verdicts
from benchmarks.topics.baselines import WARM_UP, Alert, first_stories, plain_burst, slices
from benchmarks.topics.bertrend_baseline import bertrend
from benchmarks.topics.concepts import Concept
from benchmarks.topics.streams import Video
from benchmarks.topics.unseeded import alerts, learn
from models.errors import BadInput
from models.topics import Batch, TopicSettings
from models.topics.bursts.settings import BurstSettings
from models.topics.bursts.term_bursts import Spoken, TermBursts
from models.topics.online.boilerplate import Boilerplate, BoilerplateSettings
from models.topics.online.centring import Background, unit
from models.topics.online.person_names import full_names
from streams.errors import DataError

CHANGELOG = ("practicalai", "podcast", "friends", "news", "gotime", "jsparty", "shipit", "rfc")
SHOWS = (*(f"changelog_{show}" for show in CHANGELOG), "talkpython")
OPTECH = "labelled/optech_newsletter_items.jsonl.gz"

Detector = Callable[[Sequence[Spoken]], list[Alert]]


def term_bursts(settings: BurstSettings) -> Detector:
    """The term channel, with nothing but the stream itself to learn the background from."""

    def detect(stream: Sequence[Spoken]) -> list[Alert]:
        dimension = stream[0].vectors.shape[1]
        background, channel = Background(np.zeros(dimension), 1.0), TermBursts(settings)
        alerts = []
        for at, spoken in enumerate(stream):
            background.absorb(spoken.vectors)
            for burst in channel.update(spoken, background):
                evidence = (
                    f"{burst.recent} of {burst.recent_of}, before {burst.earlier} of {burst.earlier_of}; "
                    f"{burst.sources} sources, p 1e{burst.log10_p:.0f}, together {burst.concentration:.2f}"
                )
                alerts.append(
                    Alert(
                        at,
                        burst.subject,
                        burst.terms,
                        burst.video_ids,
                        burst.quotes,
                        evidence,
                        burst.only_on,
                    )
                )
        return alerts

    return detect


def topic_model(settings: TopicSettings) -> Detector:
    """The whole topic model without a codebook: both channels, one alert a subject."""

    def detect(stream: Sequence[Spoken]) -> list[Alert]:
        return alerts(learn([_batch(spoken) for spoken in stream], settings), of_one_source=True)

    return detect


def _batch(spoken: Spoken) -> Batch:
    return Batch(
        batch_id=spoken.video_id,
        video_id=spoken.video_id,
        published_on=spoken.published_on,
        paragraph_ids=spoken.paragraph_ids,
        texts=spoken.texts,
        embeddings=spoken.vectors.astype(np.float32),
        source="" if spoken.source == spoken.video_id else spoken.source,
        starts=spoken.starts,
        people=spoken.people,
    )


def detectors(sensitivity: str, vectors: bool) -> dict[str, Detector]:
    """Everything that is compared. A detector gets the whole stream and returns its alerts in order."""
    found: dict[str, Detector] = {
        "term bursts": term_bursts(BurstSettings(sensitivity=sensitivity)),  # type: ignore[arg-type]
        "plain term burst": plain_burst,
    }
    if vectors:
        settings = TopicSettings(sensitivity=sensitivity)  # type: ignore[arg-type]
        found = {"topic model": topic_model(settings), **found}
        found |= {"slice and merge": slices, "first stories": first_stories}
    return found


def spoken(videos: Sequence[Video], vectors: Sequence[Any]) -> list[Spoken]:
    """The videos as detectors see them: without what their source repeats."""
    screen = Boilerplate(BoilerplateSettings())
    stream = []
    for video, rows in zip(videos, vectors, strict=True):
        seen = screen.screen(video.source, video.video_id, video.texts)
        left = np.flatnonzero(~seen.boilerplate).tolist()
        if not left:
            continue
        stream.append(
            Spoken(
                video_id=video.video_id,
                source=video.source,
                published_on=video.published_at.astimezone(UTC).date(),
                paragraph_ids=tuple(f"{video.video_id}#{row}" for row in left),
                texts=tuple(seen.texts[row] for row in left),
                starts=tuple(video.starts[row] for row in left),
                vectors=unit(np.asarray(rows, np.float64)[left]),
                people=tuple(sorted({*video.speakers, *full_names(video.title)})),
            )
        )
    return stream


def finds(alert: Alert, concept: Concept, videos: dict[str, Video]) -> bool:
    """Return whether an alert is about a concept: a first term names it, or its videos have its label.

    Of labels: two of its videos have it, and a third of those that have any; or the label is among its terms.
    """
    if concept.label is None:
        return any(concept.named_by(term) for term in (alert.subject.lower(), *alert.terms[:3]))
    labelled = [videos[name].labels for name in alert.video_ids if videos[name].labels]
    having = sum(concept.label in labels for labels in labelled)
    spelled = concept.label.replace("-", " ").lower()
    return (having >= 2 and having * 3 >= len(labelled)) or spelled in alert.terms[:3]


def score(
    alerts: Sequence[Alert], clear: Sequence[Concept], others: Sequence[Concept], videos: Sequence[Video]
) -> dict[str, Any]:
    """Return concepts found and their delay, by half of the stream, and the number of other alerts."""
    by_id = {video.video_id: video for video in videos}
    about: dict[int, list[str]] = {}
    rows = []
    for concept in clear:
        mine = [n for n, a in enumerate(alerts) if a.at >= concept.first and finds(a, concept, by_id)]
        for number in mine:
            about.setdefault(number, []).append(concept.name)
        first = alerts[mine[0]] if mine else None
        day = None if first is None else _day(videos[first.at])
        rows.append(
            {
                "concept": concept.name,
                "half": concept.half,
                "control": concept.control,
                "first_mention": concept.first_on.isoformat(),
                "onset": concept.onset_on.isoformat(),
                "alert": day.isoformat() if day else None,
                "subject": first.subject if first else None,
                "talks_after_first_mention": first.at - concept.first if first else None,
                "days_after_first_mention": (day - concept.first_on).days if day else None,
                "days_after_onset": (day - concept.onset_on).days if day else None,
                "alerts": len(mine),
            }
        )
    for concept in others:
        for number, alert in enumerate(alerts):
            if finds(alert, concept, by_id):
                about.setdefault(number, []).append(f"({concept.name})")
    result: dict[str, Any] = {
        "alerts": len(alerts),
        "other_alerts_per_10k": round((len(alerts) - len(about)) / len(videos) * 10_000, 1),
    }
    for half in ("tune", "test", "all"):
        part = [row for row in rows if half in (row["half"], "all") and not row["control"]]
        hits = [row for row in part if row["alert"]]
        controls = [row for row in rows if half in (row["half"], "all") and row["control"]]
        result[half] = {
            "concepts": len(part),
            "found": len(hits),
            "median_talks_after_first_mention": _median([r["talks_after_first_mention"] for r in hits]),
            "median_days_after_first_mention": _median([r["days_after_first_mention"] for r in hits]),
            "median_days_after_onset": _median([r["days_after_onset"] for r in hits]),
            "controls_alerted": sum(bool(row["alert"]) for row in controls),
        }
    result["concepts"] = rows
    result["list"] = [_listed(alert, videos, about.get(number, [])) for number, alert in enumerate(alerts)]
    return result


def _listed(alert: Alert, videos: Sequence[Video], about: Sequence[str]) -> dict[str, Any]:
    return {
        "on": _day(videos[alert.at]).isoformat(),
        "video": alert.at,
        "subject": alert.subject,
        "terms": list(alert.terms),
        "evidence": alert.evidence,
        "only_on": alert.only_on,
        "about": list(about),
        "videos": len(alert.video_ids),
        "quotes": [{**asdict(q), "published_on": q.published_on.isoformat()} for q in alert.quotes],
    }


def measure(videos: Sequence[Video], groups: Sequence[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """Run every detector over the videos."""
    nothing = [np.zeros((len(video.texts), 0), np.float32) for video in videos]
    stream = spoken(videos, nothing if arguments.without_vectors else embedded(videos))
    left = {each.video_id for each in stream}
    videos = [video for video in videos if video.video_id in left]
    if groups:
        clear, others = concepts.of_shows(videos, groups, WARM_UP)
    else:
        clear, others = concepts.of_labels(videos, WARM_UP)
    result: dict[str, Any] = {
        "videos": len(videos),
        "paragraphs": sum(len(each.texts) for each in stream),
        "from": _day(videos[0]).isoformat(),
        "to": _day(videos[-1]).isoformat(),
        "sources": len(Counter(video.source for video in videos)),
        "onsets": sum(not concept.control for concept in clear),
        "detectors": {},
    }
    compared = detectors(arguments.sensitivity, not arguments.without_vectors)
    if arguments.bertrend and not arguments.without_vectors:
        compared["BERTrend"] = bertrend(arguments.bertrend)
    for name, detect in compared.items():
        if arguments.only and name not in arguments.only:
            continue
        begun = _processor_s()
        told = detect(stream)
        seconds = _processor_s() - begun
        alerts = [alert for alert in told if not alert.only_on]
        of_one = [alert for alert in told if alert.only_on]
        result["detectors"][name] = {
            "cpu_ms_per_video": round(1000 * seconds / len(stream), 2),
            "cpu_ms_per_paragraph": round(1000 * seconds / sum(len(each.texts) for each in stream), 2),
            "judged": verdicts.by_reader(alerts, verdicts.read(verdicts.OF_SEVERAL)),
            "judged_of_one_source": verdicts.by_reader(of_one, verdicts.read(verdicts.OF_ONE_SOURCE)),
            **score(alerts, clear, others, videos),
            "of_one_source": [_listed(alert, videos, []) for alert in of_one],
        }
        show(name, result["detectors"][name], listed=name == "topic model" or arguments.list_all)
    return result


def _processor_s() -> float:
    """Return the processor time of this process and of those that it waited for (seconds)."""
    return sum(os.times()[:4])


def embedded(videos: Sequence[Video]) -> list[Any]:
    """Vectors of videos of several files, file by file as they are kept."""
    found: dict[str, Any] = {}
    for source in dict.fromkeys(video.source for video in videos):
        part = [video for video in videos if video.source == source]
        if len(part) < 2:
            return streams.embed(videos)
        found |= dict(zip([video.video_id for video in part], streams.embed(part), strict=True))
    return [found[video.video_id] for video in videos]


def show(name: str, result: dict[str, Any], *, listed: bool) -> None:
    """Print a detector's figures, and its alerts to be judged."""
    print(
        f"\n== {name}: {result['alerts']} alerts, {result['other_alerts_per_10k']} others per 10,000 videos"
    )
    print(f"   {result['cpu_ms_per_video']} ms a video, {result['cpu_ms_per_paragraph']} ms a paragraph")
    print(f"   judged: {json.dumps(result['judged'])}")
    print(f"   of one source: {json.dumps(result['judged_of_one_source'])}")
    for half in ("tune", "test", "all"):
        print(f"   {half}: {json.dumps(result[half])}")
    if not listed:
        return
    for row in result["concepts"]:
        kind = "control" if row["control"] else row["half"]
        when = f"first {row['first_mention']}, onset {row['onset']}, alert {row['alert']}"
        print(f"   {row['concept']} ({kind}): {when} {row['subject'] or ''}")
    for alert in [*result["list"], *result["of_one_source"]]:
        only = f" (only on {alert['only_on']})" if alert["only_on"] else ""
        names = ", ".join(alert["terms"][:6])
        print(f"\n{alert['on']} {alert['subject']}{only} | {names} | {alert['evidence']}")
        for quote in alert["quotes"]:
            print(f"    {quote['source']} {quote['published_on']}: {quote['text']}")


def _day(video: Video) -> date:
    return video.published_at.astimezone(UTC).date()


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def _groups(files: Sequence[str]) -> list[str]:
    """The groups of `onset_summary.csv` that these files belong to."""
    names = {Path(file).name.split(".")[0] for file in files}
    if names == {"changelog_practicalai"}:
        return ["practicalai"]
    changelog = ["changelog_all"] if any(name.startswith("changelog") for name in names) else []
    return changelog + (["talkpython"] if "talkpython" in names else [])


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stream", type=Path, help="one dated stream, labelled or not")
    parser.add_argument("--talks", nargs="+", help="only these of the shows' files")
    parser.add_argument("--limit", type=int, help="only the first so many videos")
    parser.add_argument("--sensitivity", choices=["low", "normal", "high"], default="normal")
    parser.add_argument("--without-vectors", action="store_true", help="leave out what compares paragraphs")
    parser.add_argument("--only", nargs="+", help="only these detectors")
    parser.add_argument(
        "--bertrend", metavar="PYTHON", help="also BERTrend: the interpreter of an environment that has it"
    )
    parser.add_argument("--list-all", action="store_true", help="list the baselines' alerts as well")
    parser.add_argument("--out", type=Path, help="write the result as JSON")
    arguments = parser.parse_args()
    try:
        if arguments.out and not arguments.out.parent.is_dir():
            raise DataError(f"{arguments.out.parent} is not a folder", "make it, or name another --out")
        result: dict[str, Any] = {"machine": describe(), "sensitivity": arguments.sensitivity, "streams": {}}
        for name, paths, groups in _asked(arguments):
            print(f"\n# {name}")
            videos = streams.read_all(paths, arguments.limit)
            result["streams"][name] = measure(videos, groups, arguments)
    except (DataError, BadInput) as error:
        print(f"error: {error.cause}\n  cure: {error.cure}", file=sys.stderr)
        return 1
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1, ensure_ascii=False))
    return 0


def _asked(arguments: argparse.Namespace) -> list[tuple[str, list[Path], list[str]]]:
    """Name, files and groups of each stream to measure."""
    if arguments.stream:
        return [(arguments.stream.name, [arguments.stream], [])]
    names = arguments.talks or [f"{show}.jsonl.gz" for show in SHOWS]
    talks = [streams.data_file(name if "/" in name else f"talks/{name}") for name in names]
    asked = [("shows", talks, _groups(names))]
    if not arguments.talks:
        asked.append(("optech newsletter", [streams.data_file(OPTECH)], []))
    return asked


if __name__ == "__main__":
    sys.exit(main())
