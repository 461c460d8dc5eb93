"""What screening's ranking and its recognition of duplicates are worth.

    python benchmarks/screening.py --out FILE.json

Relevance, on 13,621 titles and abstracts of conference talks (pyvideo, CC0). Nobody has screened these for
a study; what people said of them for other purposes stands in for verdicts:

- subject: of talks that were tagged (by speakers or organisers), those whose tags are of one subject are
  "kept" (machine learning, web, operations). It stands in for "thematically relevant", and is easier than
  the study's.
- kind: talks of 15 to 60 minutes are "kept", recordings of 80 minutes or more are not: by their programmes
  nearly all are tutorials and workshops. Length is withheld from the model. Of all that reviewers exclude,
  these are tutorials and workshops only.
- case: at events where tags such as "case study" or "use case" occur, tagged talks with one are "kept". It
  is nearest to the study's "experience report", but speakers tag loosely: the others may be reports too.

Labels are drawn from talks before 2018, on which the model's constants were set; ranked are those from 2018
on. No channel, no length, no reviewers who disagree, another subject than the study's; a title is what comes
before the first full stop. In the same run: logistic regression on embeddings alone (scikit-learn), whose
threshold is chosen alike, and random order.

Duplicates: real cross-posts of podcasts (near_duplicate_groups.json) among all talks that are here, with
pairs of neighbouring episodes as negatives; constructed copies of conference talks; and many titles, for
time and memory. The groups were made by comparing words, whatever titles and lengths say: so what can be
found of them before a download is little, and what is found by words afterwards is no surprise (in pairs;
two talks of one compilation are a pair, though they share no words). Besides, as the tracker would do, those
are rejected of which half was said before: right if the groups name one of the talks that said it; the others
are listed. Most of these talks have no published length: their number of words stands in.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import Meter, describe
from benchmarks.topics import streams
from models.duplicates import Duplicates, Upload
from models.errors import BadInput
from models.relevance import Classes, Label, Talk, fit
from models.relevance_prompts import EXPERIENCE, KINDS
from models.relevance_threshold import choose
from models.repeats import MOST, Repeats
from streams.errors import DataError

ABSTRACTS, GROUPS = "labelled/pyvideo_talk_abstracts.jsonl.gz", "near_duplicate_groups.json"
SPLIT, COUNTS, RECALLS = "2018-01-01", (0, 10, 50, 200, 1000), (0.95, 0.99)
WORDS_PER_SECOND = 2.8
CASES = {"casestudy", "case study", "use-case", "use case", "#lessonslearned", "business cases"}
SUBJECTS = {
    "machine learning": (
        "machine learning and artificial intelligence: deep learning, neural networks and "
        "natural language processing",
        r"machine.learning|deep.learning|^ml$|^ai$|artificial.intelligence|^nlp$|natural.language|neural|tensorflow"
        r"|keras|pytorch|computer.vision|scikit|reinforcement|llm|generative",
    ),
    "web": (
        "web development: web frameworks, HTTP APIs, Django and Flask, browsers and front ends",
        r"^web|django|flask|^rest|^api|http|javascript|front-?end|wsgi|pyramid|turbogears|plone|fastapi",
    ),
    "operations": (
        "operations: deployment, infrastructure, containers, cloud and monitoring",
        r"devops|docker|deploy|infrastructure|cloud|kubernetes|ansible|aws|monitoring|openstack|serverless|hosting",
    ),
}
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Task:
    """Talks with a stand-in for reviewers' verdicts; `early` may be learned from, the rest is ranked."""

    name: str
    classes: Classes
    labels: list[Label]
    early: NDArray[np.bool_]


def records() -> list[dict[str, Any]]:
    """Return the abstracts by date, each with `title`, `rest` and `vector`."""
    path = streams.data_file(ABSTRACTS)
    with streams.lines(path) as file:
        raw = {record["id"]: record for record in map(json.loads, file)}
    videos = streams.read(path, 20_000)
    found = []
    for video, vectors in zip(videos, streams.embed(videos), strict=True):
        title, _, rest = raw[video.video_id]["text"].partition(". ")
        found.append(raw[video.video_id] | {"title": title, "rest": rest, "vector": vectors[0]})
    return found


def tasks(talks: Sequence[dict[str, Any]]) -> list[Task]:
    """Return what is to be ranked."""

    def task(name: str, classes: Classes, chosen: list[dict[str, Any]], kept: Callable[[Any], bool]) -> Task:
        labels = [
            Label(
                each["id"],
                Talk(each["title"], each["rest"]),
                each["vector"],
                yes,
                EXPERIENCE if yes else "other",
            )
            for each in chosen
            for yes in [kept(each)]
        ]
        return Task(name, classes, labels, np.array([each["published_at"] < SPLIT for each in chosen]))

    any_kind = tuple(kind for kind in KINDS if kind != "other")
    version = streams.embedder().version
    tagged = [each for each in talks if each.get("labels")]
    found = []
    for name, (text, pattern) in SUBJECTS.items():
        about = re.compile(pattern, re.IGNORECASE)
        classes = Classes(streams.embed_texts, version, [text], any_kind)
        found.append(
            task(
                f"subject: {name}",
                classes,
                tagged,
                lambda each, about=about: any(map(about.search, each["labels"])),
            )
        )
    talk_kinds = tuple(kind for kind in KINDS if kind not in ("tutorial", "workshop"))
    long = {each["event"] for each in talks if each.get("duration_s", 0) >= 4800}
    slots = [
        each
        for each in talks
        if each["event"] in long
        and (each.get("duration_s", 0) >= 4800 or 900 <= each.get("duration_s", 0) <= 3600)
    ]
    classes = Classes(streams.embed_texts, version, (), talk_kinds)
    found.append(task("kind: no tutorial", classes, slots, lambda each: each["duration_s"] < 4800))
    events = {each["event"] for each in tagged if CASES & set(each["labels"])}
    reports = [each for each in tagged if each["event"] in events]
    classes = Classes(streams.embed_texts, version)
    found.append(task("case studies", classes, reports, lambda each: bool(CASES & set(each["labels"]))))
    return found


def relevance(task: Task, seeds: int) -> dict[str, Any]:
    """Rank the later talks after some labels of earlier ones, chosen at random."""
    labels = np.array(task.labels, object)
    early, late = labels[task.early], labels[~task.early]
    truth = np.array([each.keep for each in late])
    rows: dict[tuple[int, str], list[dict[str, float]]] = defaultdict(list)
    for count in COUNTS:
        if count > len(early):
            continue
        for seed in range(seeds if count else 1):
            chosen = early[np.random.default_rng(seed).permutation(len(early))[:count]]
            model = fit(task.classes, chosen)
            ranked = model.rank([each.talk for each in late], np.array([each.embedding for each in late]))
            thresholds = [model.threshold(recall).at for recall in RECALLS]
            rows[count, "ours"].append(measured(np.array([each.score for each in ranked]), truth, thresholds))
            scores, thresholds = plain(chosen, late)
            rows[count, "logistic regression"].append(measured(scores, truth, thresholds))
    return {
        "task": task.name,
        "learned_from": len(early),
        "ranked": len(late),
        "kept_share": round(float(truth.mean()), 4),
        "random": {"auc": 0.5, "precision": round(float(truth.mean()), 4), "saved_at_95": 0.05},
        "results": [{"labels": count, "method": name} | mean(found) for (count, name), found in rows.items()],
    }


def plain(chosen: Sequence[Label], late: Sequence[Label]) -> tuple[Array, list[float | None]]:
    """Return scores and thresholds of logistic regression on embeddings; all .5 without two verdicts."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    kept = np.array([each.keep for each in chosen], np.bool_)
    if min(kept.sum(), (~kept).sum()) < 1:
        return np.full(len(late), 0.5), [None] * len(RECALLS)
    vectors = np.array([each.embedding for each in chosen])
    model = LogisticRegression(max_iter=1000)
    scores = model.fit(vectors, kept).predict_proba(np.array([each.embedding for each in late]))[:, 1]
    if min(kept.sum(), (~kept).sum()) < 5:
        return scores, [None] * len(RECALLS)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    foretold = cross_val_predict(model, vectors, kept, cv=folds, method="predict_proba")[:, 1]
    return scores, [choose(recall, foretold, kept).at for recall in RECALLS]


def measured(scores: Array, truth: NDArray[np.bool_], thresholds: Sequence[float | None]) -> dict[str, float]:
    """Return how well scores order, and what the thresholds keep and save."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    lowest = np.sort(scores[truth])[int(0.05 * truth.sum())]
    found = {
        "auc": float(roc_auc_score(truth, scores)),
        "average_precision": float(average_precision_score(truth, scores)),
        "saved_at_95": float((scores < lowest).mean()),
    }
    for recall, at in zip(RECALLS, thresholds, strict=True):
        if at is not None:
            above = scores >= at
            found |= {
                f"recall_for_{recall}": float(above[truth].mean()),
                f"precision_for_{recall}": float(truth[above].mean()),
                f"saved_for_{recall}": float((~above).mean()),
            }
    return found


def mean(found: list[dict[str, float]]) -> dict[str, Any]:
    """Return means over seeds, the spread of AUC, and how many seeds had a threshold at all."""
    names = sorted({name for each in found for name in each})
    result: dict[str, Any] = {
        name: round(float(np.mean([each[name] for each in found if name in each])), 4) for name in names
    }
    result["auc_lowest"] = round(min(each["auc"] for each in found), 4)
    result["seeds"] = len(found)
    result["with_threshold"] = {str(r): sum(f"recall_for_{r}" in each for each in found) for r in RECALLS}
    return result


def real_groups() -> dict[str, Any]:
    """Go through all talks by date, as they would have come; a match is right if the groups say so."""
    groups = json.loads(streams.data_file(GROUPS).read_text(encoding="utf-8"))
    uploads: dict[str, Upload] = {}
    said: dict[str, list[str]] = {}
    for path in sorted(streams.data_file("talks").glob("*.jsonl.gz")):
        with streams.lines(path) as file:
            for record in map(json.loads, file):
                said[record["id"]] = [segment["text"] for segment in record["segments"]]
                folder = record["id"].partition(":")[2].rpartition("/")[0]
                uploads[record["id"]] = Upload(
                    record["id"],
                    record.get("title") or "",
                    folder or record.get("show") or record["source"],
                    date.fromisoformat(record["published_at"][:10]),
                    record["words"] / WORDS_PER_SECOND,
                    tuple(record.get("speakers") or ()),
                )
    same: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        here = {name for name, *_ in group if name in uploads}
        for name in here:
            same[name] |= here - {name}
    known, outcome, wrong = Duplicates(), Counter[str](), []
    spoken, by_words = Repeats(), Counter(right=0, wrong=0, missed=0)
    rejected, ungrouped = Counter(right=0, wrong=0, missed=0), []
    last: dict[str, Upload] = {}
    seen: set[str] = set()
    for upload in sorted(uploads.values(), key=lambda each: (each.published_on, each.video_id)):
        before = [name for name in sorted(same[upload.video_id]) if name in seen]
        match = known.find(upload)
        if match is not None:
            outcome["right" if match.video_id in same[upload.video_id] else "wrong"] += 1
            if match.video_id not in same[upload.video_id]:
                wrong.append(
                    [upload.title, uploads[match.video_id].title, match.probability, list(match.why)]
                )
        overlap = spoken.find(upload.video_id, said[upload.video_id])
        repeats = {each.video_id for each in overlap.talks if each.alike}
        by_words["right"] += len(repeats & same[upload.video_id])
        by_words["wrong"] += len(repeats - same[upload.video_id])
        by_words["missed"] += len(set(before) - repeats)
        if not overlap.again:
            rejected["missed"] += bool(before)
            spoken.add(upload.video_id, said[upload.video_id])
        elif {each.video_id for each in overlap.talks} & same[upload.video_id]:
            rejected["right"] += 1
        else:
            rejected["wrong"] += 1
            ungrouped.append([upload.video_id, overlap.why])
        if before and (match is None or match.video_id not in before):
            outcome["missed"] += 1
            length = uploads[before[0]].duration_s or 0.0
            mine = upload.duration_s or 0.0
            outcome["missed: of another length"] += abs(mine - length) > max(10, 0.005 * max(mine, length))
        previous = last.get(upload.channel)
        if previous is not None and previous.video_id not in same[upload.video_id]:
            alone = Duplicates()
            alone.add(previous)
            outcome["neighbours"] += 1
            outcome["neighbours merged"] += alone.find(upload) is not None
        last[upload.channel] = upload
        seen.add(upload.video_id)
        known.add(upload)
    right, found = outcome["right"], outcome["right"] + outcome["wrong"]
    return {
        "groups": len(groups),
        "groups_with_talks_here": sum(sum(name in uploads for name, *_ in group) > 1 for group in groups),
        "talks": len(uploads),
        **outcome,
        "precision": round(right / found, 3) if found else None,
        "recall": round(right / max(right + outcome["missed"], 1), 3),
        "wrong_pairs": wrong,
        "pairs_by_words": dict(by_words),
        "rejected_by_words": dict(rejected),
        "rejected_in_no_group": ungrouped,
        "remembered": remembered(spoken, said),
    }


def remembered(spoken: Repeats, said: dict[str, list[str]]) -> dict[str, Any]:
    """Fill a memory of what was said to its limit, with as many runs a talk as real ones have; time it."""
    held = spoken.to_snapshot()
    sizes = np.resize(held["repeats_sizes"], MOST)
    drawn = np.random.default_rng(0).integers(0, 2**32, int(sizes.sum()), np.uint32)
    names = json.dumps([f"talk-{number}" for number in range(MOST)]).encode()
    arrays = {
        "repeats_names": np.frombuffer(names, np.uint8),
        "repeats_sizes": sizes,
        "repeats_runs": drawn,
    }
    process = psutil.Process(os.getpid())
    before, began = process.memory_info().rss, time.perf_counter()
    full = Repeats.from_snapshot(arrays)
    loaded = time.perf_counter() - began
    grown = process.memory_info().rss - before
    found, added = [], []
    for name in sorted(said)[:256]:
        began = time.perf_counter()
        full.find(name, said[name])
        found.append(1000 * (time.perf_counter() - began))
        began = time.perf_counter()
        full.add(name, said[name])
        added.append(1000 * (time.perf_counter() - began))
    began = time.perf_counter()
    size = sum(array.nbytes for array in full.to_snapshot().values())
    return {
        "talks": len(full),
        "runs_a_talk": round(float(sizes.mean()), 1),
        "mb": round(grown / 1e6),
        "snapshot_mb": round(size / 1e6, 1),
        "snapshot_ms": round(1000 * (time.perf_counter() - began), 1),
        "load_ms": round(1000 * loaded),
        "find_ms_median": round(float(np.median(found)), 1),
        "add_ms_mean": round(float(np.mean(added)), 1),
        "add_ms_most": round(max(added), 1),
    }


def copies(talks: Sequence[dict[str, Any]], count: int) -> dict[str, Any]:
    """Make copies of talks as channels make them, and traps; count what is found among all talks."""
    known = Duplicates()
    uploads = [uploaded(each) for each in talks]
    flagged, same_url, by_url = 0, [0, 0], {}
    for each, upload in zip(talks, uploads, strict=True):
        match = known.find(upload)
        flagged += match is not None
        if each["url"] in by_url:
            same_url[0] += 1
            same_url[1] += match is not None and by_url[each["url"]] == match.video_id
        by_url.setdefault(each["url"], upload.video_id)
        known.add(upload)
    rng = np.random.default_rng(0)
    whole = [each for each in uploads if each.duration_s and each.speakers and len(each.title.split()) >= 4]
    chosen = [whole[at] for at in rng.permutation(len(whole))[:count]]
    found: Counter[str] = Counter()
    for original in chosen:
        later = (original.published_on or date.min) + timedelta(days=int(rng.integers(1, 200)))
        length = (original.duration_s or 0.0) + float(rng.integers(-8, 9))
        copy = replace(original, video_id="copy", channel="another", published_on=later, duration_s=length)
        bare = replace(copy, speakers=(), embedding=None)
        trials = {
            "cross-post": copy,
            "cross-post, speaker in the title": replace(
                bare, title=f"{original.speakers[0]}: {original.title} | Conf"
            ),
            "re-upload": replace(bare, title=f"{original.title} (re-upload)", channel=original.channel),
            "other title, same description": replace(copy, title="You have to see this"),
            "trap: part 2": replace(copy, title=f"{original.title}, part 2"),
            "trap: other speaker": replace(copy, speakers=("Nobody Else",), embedding=None),
            "trap: given again, 3 minutes longer": replace(
                copy, duration_s=(original.duration_s or 0.0) + 180
            ),
        }
        for name, trial in trials.items():
            match = known.find(trial)
            found[name] += match is not None and (
                name.startswith("trap") or match.video_id == original.video_id
            )
    return {
        "talks": len(talks),
        "flagged_as_repeats": flagged,
        "same_address": {"pairs": same_url[0], "found": same_url[1]},
        "copies_of": len(chosen),
        "found_share": {name: round(found[name] / len(chosen), 3) for name in trials},
    }


def uploaded(record: dict[str, Any]) -> Upload:
    """A conference talk as an upload; lengths of some minutes in this file are slips."""
    length = record.get("duration_s") or 0
    return Upload(
        record["id"],
        record["title"],
        record["event"],
        date.fromisoformat(record["published_at"][:10]),
        float(length) if length > 300 else None,
        tuple(record["speakers"]),
        record["vector"],
    )


def large(talks: Sequence[dict[str, Any]], count: int) -> dict[str, Any]:
    """Remember many videos (conference talks under drawn lengths and made-up numbers); time looking up."""
    process, rng, known = psutil.Process(os.getpid()), np.random.default_rng(0), Duplicates()
    words = sorted({word for each in talks for word in each["title"].split()})
    before, began = process.memory_info().rss, time.perf_counter()
    for at in range(count):
        upload = uploaded(talks[at % len(talks)])
        extra = " ".join(words[index] for index in rng.integers(0, len(words), 2))
        seconds = float(rng.integers(600, 4000))
        known.add(replace(upload, video_id=f"{at}", title=f"{upload.title} {extra}", duration_s=seconds))
    added = time.perf_counter() - began
    took = []
    for record in talks[:: max(1, len(talks) // 500)]:
        began = time.perf_counter()
        known.find(replace(uploaded(record), duration_s=1800.0))
        took.append(1000 * (time.perf_counter() - began))
    return {
        "known": len(known),
        "mb": round((process.memory_info().rss - before) / 1e6),
        "add_ms": round(1000 * added / count, 3),
        "find_ms_median": round(float(np.median(took)), 2),
        "find_ms_95": round(float(np.quantile(took, 0.95)), 2),
    }


def show(result: dict[str, Any]) -> None:
    """Print a task's table."""
    print(f"\n{result['task']}: {result['ranked']} later talks, {result['kept_share']:.1%} kept")
    print(f"labels method                  AUC     AP saved@95  {'':6}recall  saved {'':6}recall  saved")
    for row in result["results"]:
        cells = [
            f"{row[f'recall_for_{recall}']:6.3f} {row[f'saved_for_{recall}']:6.3f}"
            if f"recall_for_{recall}" in row
            else "  none   none"
            for recall in RECALLS
        ]
        print(
            f"{row['labels']:6} {row['method']:20} {row['auc']:6.3f} {row['average_precision']:6.3f} "
            f"{row['saved_at_95']:8.3f}   .95: {cells[0]}   .99: {cells[1]}"
        )


def main() -> int:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="write the results to this file as JSON")
    parser.add_argument("--seeds", type=int, default=3, help="draws of labels (3)")
    parser.add_argument(
        "--known", type=int, default=100_000, help="videos to remember for the timing (100000)"
    )
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    try:
        with Meter(os.getpid()) as meter:
            talks = records()
            results = []
            for task in tasks(talks):
                results.append(relevance(task, arguments.seeds))
                show(results[-1])
            duplicates = {
                "real": real_groups(),
                "constructed": copies(talks, 500),
                "large": large(talks, arguments.known),
            }
            print(f"\nduplicates\n{json.dumps(duplicates, indent=1, ensure_ascii=False)}")
        report = {
            "machine": describe(),
            "split": SPLIT,
            "relevance": results,
            "duplicates": duplicates,
            "wall_s": round(meter.wall_s),
            "elsewhere_cores": round(meter.elsewhere_cores, 2),
        }
        if arguments.out:
            arguments.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    except (BadInput, DataError, OSError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
