"""Quality of screening's ranking; `benchmarks/duplicates.py` measures its recognition of duplicates.

    python benchmarks/screening.py --out FILE.json

On 13,621 titles and abstracts of conference talks (pyvideo, CC0). Nobody has screened these for
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
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import Meter, describe
from benchmarks.topics import streams
from models.errors import BadInput
from models.relevance.prompts import EXPERIENCE, KINDS
from models.relevance.ranking import Classes, LabelledVideo, TalkMetadata, fit
from models.relevance.threshold import choose
from streams.errors import DataError

ABSTRACTS = "labelled/pyvideo_talk_abstracts.jsonl.gz"
SPLIT, COUNTS, RECALLS = "2018-01-01", (0, 10, 50, 200, 1000), (0.95, 0.99)
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
    labels: list[LabelledVideo]
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
            LabelledVideo(
                each["id"],
                TalkMetadata(each["title"], each["rest"]),
                each["vector"],
                yes,
                EXPERIENCE if yes else "other",
            )
            for each in chosen
            for yes in [kept(each)]
        ]
        return Task(name, classes, labels, np.array([each["published_at"] < SPLIT for each in chosen]))

    any_kind = tuple(kind for kind in KINDS if kind != "other")
    version = streams.embedder().space
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


def plain(chosen: Sequence[LabelledVideo], late: Sequence[LabelledVideo]) -> tuple[Array, list[float | None]]:
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
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    try:
        with Meter(os.getpid()) as meter:
            talks = records()
            results = []
            for task in tasks(talks):
                results.append(relevance(task, arguments.seeds))
                show(results[-1])
        report = {
            "machine": describe(),
            "split": SPLIT,
            "relevance": results,
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
