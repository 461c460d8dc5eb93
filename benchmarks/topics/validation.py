"""Validation by a coded sample: its precision and recall, and corrected shares, against all that people read.

python benchmarks/topics/validation.py [--gold FILE ...] [--talks FILE ...] [--codebook NAME] [--repeats N]
                                       [--out FILE.json]

People have read paragraphs (the gold) for the codebook's topics that each is about. Here these paragraphs are
the whole study, counted for the topics that a fit without their talk gives them.

- walk: a study of the paragraphs that were read twice is validated, with both readings as the codings of two
  people. Its precision and recall stand beside those of `concept_judge.py`, for which a label of only one
  reading is right and not wanted, where here a half counts.
- corrected: of all paragraphs samples are drawn as `groundswell validate draw` does it, and the share of each
  theme and topic in each period is corrected by several methods. Errors are those to the share that people
  read in all paragraphs of the period: root of the mean square, and mean. `held`: how often the 95 % interval
  of the ratio holds it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from agents.curation.validation.coding_sheet import CodedRow
from agents.curation.validation.validator import Validator
from agents.queries.registry import VIEWS
from benchmarks.machine import describe
from benchmarks.outcome import told
from benchmarks.topics import concept_judge, streams
from benchmarks.topics.gold import GoldParagraph, gold_files, located, read_gold, talk_files
from benchmarks.topics.multilabel import Labels, score
from models.codebook.codebook import Codebook, load
from models.stats.trend import wilson
from models.stats.validation import validity
from streams import events as e
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store import writer
from streams.store.warehouse import Warehouse

MODEL, TRANSCRIPT = "gold", "read"
SIZES = ((120, 10), (300, 15), (600, 0))
"""Samples: paragraphs of any kind, and counted ones of each topic."""
PERIODS = ((0, 2020), (2021, 2021), (2022, 2022), (2023, 2023), (2024, 2024), (2025, 9999))
"""Years, so that each period has some fifty paragraphs or more."""
USEFUL = 0.05
"""Least difference of the rates of true and false positives for the adjusted method."""
METHODS = ("counted", "adjusted", "predictive", "ratio")
Numbers = NDArray[np.float64]


def walk(folder: Path, gold: Sequence[GoldParagraph], labels: Labels, book: Codebook) -> dict[str, Any]:
    """Return what `groundswell validate` says of a study of these paragraphs, by name."""

    def ask(view: str, **given: Any) -> Any:
        return VIEWS[view](warehouse, **given)

    def deliver(events: Iterable[e.Event]) -> None:
        writer.write(warehouse, (row for each in events for row in writer.rows_of(each)))

    clock = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second) for second in range(100_000))
    with Warehouse(Settings(home=folder, study="gold")) as warehouse:
        warehouse.migrate()
        writer.write(warehouse, _rows(gold, labels, book))
        ids = [e.paragraph_id(each.talk, TRANSCRIPT, each.position) for each in gold]
        for name in ("first", "second"):
            blobs = Blobs(warehouse.settings.blobs_url)
            validator = Validator(blobs, ask, deliver, lambda: next(clock), name)
            if name == "first":
                validator.give((each.talk, at) for each, at in zip(gold, ids, strict=True))
            # One reading has what both gave, the other also what only one gave.
            given = [each.every if name == "first" else each.some for each in gold]
            keys = [tuple(book.topics[number - 1].key for number in each) for each in given]
            validator.code(CodedRow(at, said, "") for at, said in zip(ids, keys, strict=True))
        return {row["name"]: row for row in VIEWS["validation"](warehouse)}


def _rows(
    gold: Sequence[GoldParagraph], labels: Labels, book: Codebook
) -> Iterator[tuple[str, writer.Columns]]:
    """Yield the rows of a study that has only these paragraphs."""
    for number, topic in enumerate(book.topics, 1):
        yield from writer.rows_of(
            e.TopicBorn(
                model_version=MODEL,
                topic_id=number,
                sequence=0,
                label=topic.name,
                words=(),
                origin="seeded",
                theme=topic.theme,
                codebook_key=topic.key,
            )
        )
    talks: dict[str, list[int]] = {}
    for row, paragraph in enumerate(gold):
        talks.setdefault(paragraph.talk, []).append(row)
    for index, (talk, rows) in enumerate(sorted(talks.items())):
        of = e.Video(
            video_id=talk, title=talk, published_at=datetime(int(gold[rows[0]].year), 6, 1, tzinfo=UTC)
        )
        yield from writer.rows_of(e.VideoAccepted(video=of))
        assigned = []
        for row in rows:
            paragraph = gold[row]
            paragraph_id = e.paragraph_id(talk, TRANSCRIPT, paragraph.position)
            yield writer.paragraph_row(
                talk,
                TRANSCRIPT,
                paragraph.position,
                paragraph_id=paragraph_id,
                start_s=float(paragraph.position),
                end_s=float(paragraph.position + 1),
                text=paragraph.text,
                speakers=[],
                tokens=0,
            )
            about = (np.flatnonzero(labels[row]) + 1).tolist()
            assigned.append(
                e.AssignedParagraph(
                    paragraph_id=paragraph_id,
                    topic_id=None,
                    probability=0.0,
                    boilerplate=False,
                    concepts=tuple(e.ConceptMembership(topic_id=each, probability=0.5) for each in about),
                )
            )
        yield from writer.rows_of(
            e.ParagraphsAssigned(
                video=of,
                video_index=index,
                model_version=MODEL,
                transcript_version=TRANSCRIPT,
                sequence=index + 1,
                judge="fold",
                assignments=tuple(assigned),
            )
        )


def sample(labels: Labels, random: int, counted: int, chance: np.random.Generator) -> tuple[Any, Numbers]:
    """Return rows drawn from all and from what is counted for each topic, and their weights."""
    of = len(labels)
    rows = [chance.choice(of, random, replace=False)]
    missed = np.full(of, 1 - random / of)
    for topic in range(labels.shape[1]):
        own = np.flatnonzero(labels[:, topic])
        if size := min(counted, len(own)):
            rows.append(chance.choice(own, size, replace=False))
            missed[own] *= 1 - size / len(own)
    drawn = np.unique(np.concatenate(rows))
    return drawn, 1 / (1 - missed[drawn])


def errors(
    counted: Labels,
    about: Numbers,
    rows: NDArray[np.int64],
    weights: Numbers,
    periods: Sequence[NDArray[np.bool_]],
) -> Iterator[tuple[dict[str, float], bool]]:
    """Yield the error of each method in each period, and whether the ratio's interval holds the truth."""
    of = validity(counted[rows], about[rows], weights, int(counted.sum()), len(counted))
    if of.precision is None or of.recall is None or of.ratio is None:
        return
    whole, right = float(counted.mean()), of.precision.value
    missed = whole * (of.ratio.value - right) / (1 - whole)
    true = of.recall.value
    false = whole * (1 - right) / (1 - whole * of.ratio.value)
    for period in periods:
        share, wanted = float(counted[period].mean()), float(about[period].mean())
        corrected = of.corrected(share, wilson(int(counted[period].sum()), int(period.sum())))
        assert corrected is not None
        found = {
            "counted": share,
            "adjusted": min(1.0, max(0.0, (share - false) / (true - false)))
            if true - false > USEFUL
            else share,
            "predictive": share * right + (1 - share) * missed,
            "ratio": corrected.value,
        }
        yield (
            {name: value - wanted for name, value in found.items()},
            (corrected.low <= wanted <= corrected.high),
        )


def correct(labels: Labels, about: Numbers, years: NDArray[np.int64], book: Codebook, repeats: int) -> Any:
    """Return the errors of corrected shares, by size of the sample and by themes and topics."""
    themes = sorted({topic.theme for topic in book.topics})
    groups: Mapping[str, list[list[int]]] = {
        "themes": [[at for at, each in enumerate(book.topics) if each.theme == theme] for theme in themes],
        "topics": [[at] for at in range(len(book.topics))],
    }
    periods = [(years >= first) & (years <= last) for first, last in PERIODS]
    chance = np.random.default_rng(0)
    found = []
    for random, counted in SIZES:
        drawn = [sample(labels, random, counted, chance) for _ in range(repeats)]
        for kind, units in groups.items():
            each = [
                error
                for rows, weights in drawn
                for unit in units
                for error in errors(
                    labels[:, unit].any(axis=1), about[:, unit].max(axis=1), rows, weights, periods
                )
            ]
            by_method = {name: np.array([error[name] for error, _ in each]) for name in METHODS}
            found.append(
                {
                    "kind": kind,
                    "random": random,
                    "counted_each": counted,
                    "coded": float(np.mean([len(rows) for rows, _ in drawn])),
                    "rmse": {name: float(np.sqrt(np.mean(one**2))) for name, one in by_method.items()},
                    "mean": {name: float(one.mean()) for name, one in by_method.items()},
                    "held": float(np.mean([held for _, held in each])),
                }
            )
    return found


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return every figure."""
    paths = arguments.gold or gold_files()
    gold = [each for path in paths for each in read_gold(path)]
    first = frozenset((each.talk, each.text) for each in read_gold(paths[0]))
    book = load(arguments.codebook)
    files = arguments.talks or talk_files(gold)
    videos = streams.read_all(files, only=frozenset(each.talk for each in gold))
    kept, _ = located(gold, videos)
    read, readings, evidence = concept_judge.evidence_of(gold, videos, book)
    labels = concept_judge.counted(concept_judge.judged(read, book, evidence))
    twice = np.array([(each.talk, each.text) in first for each in kept])
    with tempfile.TemporaryDirectory() as folder:
        rows = np.flatnonzero(twice)
        shown = walk(Path(folder), [kept[row] for row in rows], labels[rows], book)
    by_benchmark = score(labels[twice], readings.of(twice))
    return {
        "machine": describe(),
        "paragraphs": {"all": len(kept), "twice": int(twice.sum())},
        "walk": {
            "validate": {name: shown["All topics"][name] for name in ("precision", "recall", "kappa")},
            "concept_judge": {"precision": by_benchmark.precision, "recall": by_benchmark.recall},
            "validated": sum(row["validated"] for row in shown.values() if row["kind"] == "topic"),
        },
        "corrected": correct(
            labels,
            (readings.every.astype(np.float64) + readings.some) / 2,
            np.array([int(each.year) for each in kept]),
            book,
            arguments.repeats,
        ),
    }


def show(result: Mapping[str, Any]) -> None:
    """Print the tables."""
    walked = result["walk"]
    print(f"{result['paragraphs']['all']} paragraphs, {result['paragraphs']['twice']} of them read twice\n")
    print(f"{'':24} {'P':>5} {'R':>5} {'kappa':>6}")
    ours = walked["validate"]
    print(f"{'groundswell validate':24} {ours['precision']:5.2f} {ours['recall']:5.2f} {ours['kappa']:6.2f}")
    other = walked["concept_judge"]
    print(f"{'concept_judge.py':24} {other['precision']:5.2f} {other['recall']:5.2f}")
    print(f"{walked['validated']} topics validated\n")
    print(
        f"{'shares by period':24} {'coded':>6}  " + "  ".join(f"{name:>17}" for name in METHODS) + "   held"
    )
    for row in result["corrected"]:
        errors_ = "  ".join(f"{row['rmse'][name]:8.4f} {row['mean'][name]:8.4f}" for name in METHODS)
        print(f"{row['kind']:24} {row['coded']:6.0f}  {errors_}   {row['held']:.2f}")
    print("root of the mean square error, and mean error, of shares of paragraphs")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--gold", type=Path, nargs="+", help="paragraphs that people have read, those read twice first"
    )
    parser.add_argument("--talks", type=Path, nargs="+", help="files of their talks")
    parser.add_argument("--codebook", default="llm-in-production", help="name or file of the codebook")
    parser.add_argument("--repeats", type=int, default=40, help="samples of each size")
    parser.add_argument("--out", type=Path, help="write every figure here, as JSON")
    arguments = parser.parse_args()
    return told(lambda: measure(arguments), show, arguments.out)


if __name__ == "__main__":
    raise SystemExit(main())
