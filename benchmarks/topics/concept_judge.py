"""Concepts of the codebook: how well they are judged, and the fit that comes with Groundswell.

python benchmarks/topics/concept_judge.py [--gold FILE ...] [--talks FILE ...] [--codebook NAME]
                                     [--write FOLDER] [--out FILE.json]

People have read paragraphs (the gold) for the concepts that each is substantially about, 0 to 3. Measured on
the paragraphs that were read twice, with nothing of the judged talk in the fit (folds by talk):

- judged: the pooled model, corrected by what people judged about each concept;
- unjudged: the pooled model alone, with the judged concept left out of its fit as well: what a codebook is
  worth that nobody has judged anything of;
- definition: the cosine with the definition alone; terms: the number of different terms alone, each with the
  threshold of the best F1, which favours them.

Precision is over labels that any reader gave, recall over those that all gave. `R at .80`: the highest recall
at a precision of .80 or more. `calibration`: expected calibration error in ten bins of probability, over the
pairs on which the readers agree. `cost`: processor time of the judgement as a share of the embedding's.
`--write` fits on everything, and writes the files of models/concepts/learned.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.machine import describe
from benchmarks.outcome import told
from benchmarks.topics import streams
from benchmarks.topics.gold import GoldParagraph, gold_files, located, read_gold, readings_of, talk_files
from benchmarks.topics.multilabel import Labels, Readings, Score, score
from models.codebook.codebook import Codebook, load
from models.concepts.evidence import NAMES, ConceptEvidence, Prototypes, Talk
from models.concepts.fitting import Read, fit_corrections, fit_pooled, folds
from models.concepts.judge import LEAST_PROBABILITY, MOST, ConceptJudge
from streams.errors import DataError

Rows = NDArray[np.int64]
PARTS = 5
"""Folds by talk."""
PRECISION = 0.80
"""Precision at which recall is given."""
BINS = 10
FEW = 5
"""Positives of a topic below which its precision says nothing."""


def evidence_of(
    gold: Sequence[GoldParagraph], videos: Sequence[streams.Video], book: Codebook
) -> tuple[Read, Readings, ConceptEvidence]:
    """Return the evidence of the gold paragraphs, what people read in them, and what weighs them."""
    kept, rows = located(gold, videos)
    if not kept:
        raise DataError("none of the gold paragraphs is in these talks", "name their talks with --talks")
    evidence = ConceptEvidence(book, prototypes(book))
    asked: dict[str, list[tuple[int, int]]] = {}
    for (talk, position), row in rows.items():
        asked.setdefault(talk, []).append((position, row))
    with_gold = [video for video in videos if video.video_id in asked]
    wanted = [[position for position, _ in asked[video.video_id]] for video in with_gold]
    embedded = streams.embed(
        [
            replace(video, texts=tuple(video.texts[at] for at in positions))
            for video, positions in zip(with_gold, wanted, strict=True)
        ]
    )
    order = [row for video in with_gold for _, row in asked[video.video_id]]
    parts = [
        evidence.of(Talk(video.title, video.texts), positions, vectors)
        for video, positions, vectors in zip(with_gold, wanted, embedded, strict=True)
    ]
    place = np.argsort(order)
    readings = readings_of(kept, len(book.topics))
    read = Read(
        features=np.concatenate([features for features, _ in parts])[place],
        counts=np.concatenate([counts for _, counts in parts])[place],
        vectors=np.concatenate(embedded)[place],
        about=readings.every,
        weights=np.where(readings.some & ~readings.every, 0.0, 1.0),
        talks=readings.talks,
    )
    return read, readings, evidence


def prototypes(book: Codebook) -> Prototypes:
    """Return the embeddings of what a codebook says about its topics."""
    texts = Prototypes.texts(book)
    return Prototypes.of(book, streams.embed_texts([*texts, "any text has the dimension"])[: len(texts)])


def without_each(
    read: Read, book: Codebook, evidence: ConceptEvidence
) -> Iterator[tuple[Rows, ConceptJudge]]:
    """Yield parts of the paragraphs, as rows, each with a judge whose fit has seen none of their talks."""
    about = prototypes(book)
    for part in folds(read.talks, PARTS):
        seen = read.of(np.setdiff1d(np.arange(len(read.talks)), part))
        learned = fit_corrections(seen, book, evidence.terms, streams.embedder().model)
        yield (
            part,
            ConceptJudge(book, about, streams.embedder().model, pooled=fit_pooled(seen), learned=learned),
        )


def judged(read: Read, book: Codebook, evidence: ConceptEvidence) -> NDArray[np.float64]:
    """Return the probability of each concept, from a fit without the paragraph's talk: float64 [n, k]."""
    found = np.zeros(read.about.shape)
    for part, judge in without_each(read, book, evidence):
        found[part] = judge.weighed(read.features[part], read.counts[part], read.vectors[part])
    return found


def unjudged(read: Read) -> NDArray[np.float64]:
    """Return the probability of each concept, from a fit without its talk and without the concept."""
    found = np.zeros(read.about.shape)
    concepts = range(read.about.shape[1])
    for part in folds(read.talks, PARTS):
        seen = read.of(np.setdiff1d(np.arange(len(read.talks)), part))
        for concept in concepts:
            model = fit_pooled(seen, [each for each in concepts if each != concept])
            found[part, concept] = 1 / (1 + np.exp(-model.log_odds(read.features[part][:, [concept]])[:, 0]))
    return found


def counted(probabilities: NDArray[np.float64], least: float = LEAST_PROBABILITY) -> Labels:
    """Return the concepts that count, at most `MOST` a paragraph: bool [n, k]."""
    ranks = np.argsort(np.argsort(-probabilities, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray((probabilities >= least) & (ranks < MOST))


def best(values: NDArray[np.float64], readings: Readings) -> Labels:
    """Return the labels at the threshold that gives the best F1."""
    thresholds = np.unique(np.quantile(values, np.linspace(0.7, 0.999, 120)))
    return max((values >= each for each in thresholds), key=lambda given: score(given, readings).f1)


def recall_at(probabilities: NDArray[np.float64], readings: Readings, precision: float = PRECISION) -> float:
    """Return the highest recall at a precision of at least this much, over all thresholds."""
    order = np.argsort(-probabilities, axis=None, kind="stable")
    right = np.cumsum(readings.some.ravel()[order]) / np.arange(1, len(order) + 1)
    found = np.cumsum(readings.every.ravel()[order]) / max(int(readings.every.sum()), 1)
    return float(found[right >= precision].max(initial=0.0))


def calibration_error(probabilities: NDArray[np.float64], read: Read, least: float = 0.0) -> float:
    """Return the expected calibration error of the pairs with at least this probability."""
    agreed = (read.weights > 0) & (probabilities >= least)
    given, true = probabilities[agreed], read.about[agreed]
    bins = np.minimum((given * BINS).astype(int), BINS - 1)
    gaps = [
        abs(given[bins == each].sum() - true[bins == each].sum())
        for each in range(BINS)
        if (bins == each).any()
    ]
    return float(sum(gaps) / max(len(given), 1))


def cost(videos: Sequence[streams.Video], book: Codebook, paragraphs: int = 300) -> float:
    """Return the processor time of judging talks as a share of that of embedding them."""
    some: list[streams.Video] = []
    for video in videos:
        if sum(len(each.texts) for each in some) < paragraphs:
            some.append(video)
    streams.embed_texts(["a first text loads the model"])
    began = time.process_time()
    vectors = [streams.embed_texts(video.texts) for video in some]
    embedded = time.process_time() - began
    judge = ConceptJudge(book, prototypes(book), streams.embedder().model)
    began = time.process_time()
    for video, rows in zip(some, vectors, strict=True):
        judge.judge(Talk(video.title, video.texts), rows)
    return (time.process_time() - began) / embedded


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return every figure."""
    paths = arguments.gold or gold_files()
    gold = [each for path in paths for each in read_gold(path)]
    twice = len(read_gold(paths[0]))
    book = load(arguments.codebook)
    files = arguments.talks or talk_files(gold)
    videos = streams.read_all(files, only=frozenset(each.talk for each in gold))
    kept, _ = located(gold, videos)
    read, readings, evidence = evidence_of(gold, videos, book)
    first = frozenset((each.talk, each.text) for each in gold[:twice])
    asked = np.array([(each.talk, each.text) in first for each in kept])
    tested, seen = readings.of(asked), read.of(np.flatnonzero(asked))
    with_judgements, without = judged(read, book, evidence)[asked], unjudged(read)[asked]
    at = {name: number for number, name in enumerate(NAMES)}
    systems = {
        "judged": counted(with_judgements),
        "unjudged": counted(without),
        "definition": best(seen.features[:, :, at["definition"]], tested),
        "terms": best(seen.features[:, :, at["distinct"]], tested),
    }
    if arguments.write:
        write(read, book, evidence, arguments.write)
    return {
        "machine": describe(),
        "codebook": book.name,
        "paragraphs": {"fitted": len(kept), "tested": int(asked.sum()), "not_found": len(gold) - len(kept)},
        "systems": {name: asdict(score(given, tested)) for name, given in systems.items()},
        "recall_at": {
            "judged": recall_at(with_judgements, tested),
            "unjudged": recall_at(without, tested),
        },
        "calibration_error": {
            "judged": calibration_error(with_judgements, seen),
            "judged, from .05": calibration_error(with_judgements, seen, 0.05),
            "unjudged": calibration_error(without, seen),
            "unjudged, from .05": calibration_error(without, seen, 0.05),
        },
        "by_topic": {
            topic.name: asdict(score(systems["judged"][:, [k]], tested.of_labels([[k]])))
            for k, topic in enumerate(book.topics)
        },
        "cost": cost(videos, book),
    }


def write(read: Read, book: Codebook, evidence: ConceptEvidence, folder: Path) -> None:
    """Fit on everything, and write the model and the corrections of this codebook."""
    folder.mkdir(parents=True, exist_ok=True)
    learned = fit_corrections(read, book, evidence.terms, streams.embedder().model)
    for name, fitted in (("pooled", fit_pooled(read)), (book.name, learned)):
        (folder / f"{name}.json").write_text(fitted.model_dump_json() + "\n", encoding="utf-8")


def show(result: dict[str, Any]) -> None:
    """Print the tables."""
    print(f"{result['codebook']}: {result['paragraphs']}")
    print(f"\n{'':12} {'given':>6} {'P':>6} {'R':>6} {'F1':>6}  95 % of F1     R at {PRECISION:.2f}")
    for name, system in result["systems"].items():
        each = Score(**system)
        low, high = each.f1_interval
        recall = f"{result['recall_at'][name]:.2f}" if name in result["recall_at"] else ""
        print(
            f"{name:12} {each.given:6} {each.precision:6.2f} {each.recall:6.2f} {each.f1:6.2f}  "
            f"{low:.2f} to {high:.2f}   {recall}"
        )
    print("\ncalibration error:", {name: round(e, 3) for name, e in result["calibration_error"].items()})
    print(f"cost: {result['cost']:.1%} of the embedding's")
    print(f"\n{'judged, by topic':28} {'given':>6} {'right':>6} {'wanted':>6} {'found':>6}")
    for name, of_topic in result["by_topic"].items():
        each = Score(**of_topic)
        low_one = each.wanted >= FEW and each.precision < 0.6
        note = f"  precision {each.precision:.2f}" if low_one else ""
        print(f"{name:28} {each.given:6} {each.right:6} {each.wanted:6} {each.found:6}{note}")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--gold", type=Path, nargs="+", help="paragraphs that people have read, the tested first"
    )
    parser.add_argument("--talks", type=Path, nargs="+", help="files of their talks")
    parser.add_argument("--codebook", default="llm-in-production", help="name or file of the codebook")
    parser.add_argument("--write", type=Path, help="fit on everything, and write the fit into this folder")
    parser.add_argument("--out", type=Path, help="write every figure here, as JSON")
    arguments = parser.parse_args()
    return told(lambda: measure(arguments), show, arguments.out)


if __name__ == "__main__":
    raise SystemExit(main())
