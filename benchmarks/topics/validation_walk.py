"""Validation of a whole study: `groundswell run` learns talks, which people's readings validate.

python benchmarks/topics/validation_walk.py [--gold FILE ...] [--talks FILE ...] [--home FOLDER] [--repeats N]
                                            [--report FOLDER] [--out FILE.json]

Of the paragraphs that people have read (the gold), only those are used that were chosen at random from whole
shows. Their talks are handed to `groundswell run`, with default settings. They are longer than the shows'
talks are on average, because a long talk has more paragraphs to choose from.

- walk: the readings, two of some paragraphs, fill sheets, which `groundswell validate draw --given`, `read`
  and `show` take. Their precision and recall stand beside those that the benchmarks compute of the same
  paragraphs: precision over labels that any reader gave, recall over those that all gave, where validation
  counts a half, and weighs what counts and what does not by how much there is of both in the study.
- shares: of each theme among the paragraphs of each year, as the study counts it and corrected, against the
  share that people read. Corrections come from one half of the talks, and the truth from the other:
  `--repeats` times, so no paragraph is both. The error of so small a truth is the same for both, and stands
  beside them.

The judge of concepts that comes with Groundswell was fitted to this gold: on it, its numbers are better than
elsewhere (`concept_judge.py` says how good those are), and there is less to correct.
With `--home` the study is kept, and one that has the talks already is not made again.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from agents.cli.asking import ask
from benchmarks.machine import describe
from benchmarks.outcome import told
from benchmarks.study import RunningStudy, settings_in
from benchmarks.topics import streams
from benchmarks.topics.gold import GoldParagraph, gold_files, read_gold, readings_of, talk_files
from benchmarks.topics.multilabel import Labels, score
from models.codebook.codebook import Codebook, load
from models.stats.trend import wilson
from models.stats.validation import validity
from streams.errors import DataError
from streams.settings import Settings

Numbers = NDArray[np.float64]
READERS = ("first", "second")
LEAST = 30
"""Paragraphs that people have read of a year whose shares are compared."""


def talks_of(gold: Iterable[GoldParagraph], files: Iterable[Path], folder: Path) -> Path:
    """Write the talks that have gold paragraphs to one collection, and return its path."""
    wanted = {each.talk for each in gold}
    path = folder / "talks.jsonl"
    with path.open("w", encoding="utf-8") as collection:
        for file in files:
            with streams.lines(file) as records:
                collection.writelines(line for line in records if json.loads(line)["id"] in wanted)
    return path


class Found:
    """Gold paragraphs that the study has, with what it counts them for.

    Attributes:
        gold: the paragraphs.
        ids: the id of each.
        labels: the topics of the codebook that each counts for, bool [n, topics].
    """

    def __init__(self, settings: Settings, gold: Sequence[GoldParagraph], book: Codebook) -> None:
        keys = {topic["topic_id"]: topic["key"] for topic in ask(settings, "codebook_standing")["topics"]}
        columns = {topic.key: at for at, topic in enumerate(book.topics)}
        self.gold: list[GoldParagraph] = []
        self.ids: list[str] = []
        counted: list[set[int]] = []
        talks: dict[str, dict[str, Any]] = {}
        for paragraph in gold:
            if paragraph.talk not in talks:
                rows = ask(settings, "paragraphs", video_id=paragraph.talk)
                talks[paragraph.talk] = {row["text"]: row for row in rows}
            row = talks[paragraph.talk].get(paragraph.text)
            if row is None or row["paragraph_id"] in self.ids:
                continue
            topics = {row["topic_id"], *(each["topic_id"] for each in row["further"])}
            self.gold.append(paragraph)
            self.ids.append(row["paragraph_id"])
            counted.append({columns[key] for key in map(keys.get, topics) if key})
        self.labels: Labels = np.zeros((len(self.gold), len(book.topics)), np.bool_)
        for at, topics in enumerate(counted):
            self.labels[at, sorted(topics)] = True


def walk(
    settings: Settings, found: Found, twice: Container[str], book: Codebook, folder: Path
) -> dict[str, dict[str, Any]]:
    """Validate through the command line, and return what `groundswell validate show` says, by name.

    Args:
        settings: of the running study.
        found: the paragraphs that the readers have read.
        twice: texts of those that the second one has read, too.
        book: the codebook.
        folder: for the sheets.

    Raises:
        DataError: a command fails.
    """
    for reader in READERS:
        with (folder / f"{reader}.csv").open("w", newline="") as file:
            sheet = csv.writer(file)
            sheet.writerow(("talk", "paragraph_id", "topics"))
            for paragraph, paragraph_id in zip(found.gold, found.ids, strict=True):
                if reader == "second" and paragraph.text not in twice:
                    continue
                # One reading has what both gave, the other also what only one gave.
                numbers = paragraph.every if reader == "first" else paragraph.some
                names = "; ".join(book.topics[number - 1].name for number in numbers)
                sheet.writerow((paragraph.talk, paragraph_id, names or "none"))

    validate(settings, "draw", "--given", str(folder / "first.csv"), "--author", "benchmark")
    for reader in READERS:
        validate(settings, "read", str(folder / f"{reader}.csv"), "--reviewer", reader)
    return validities(settings)


def validate(settings: Settings, *command: str) -> str:
    """Run `groundswell validate` with a study, and return what it printed.

    Raises:
        DataError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "agents.cli", "--study", settings.study, "validate", *command],
        env=os.environ | {"GROUNDSWELL_HOME": str(settings.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DataError(f"groundswell validate {command[0]} failed", done.stderr.strip()[-1000:])
    return done.stdout


def validities(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return what `groundswell validate show` says, by name."""
    return {row["name"]: row for row in json.loads(validate(settings, "show", "--json"))}


def print_validities(rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Print what `groundswell validate show` says of some counts, by name."""
    print(f"{'':38} {'P':>5} {'R':>5} {'kappa':>6} {'counted':>8} {'corrected':>10}")
    for name, row in rows.items():
        rates = [row["precision"], row["recall"], row["kappa"], row["share"], row["corrected"]]
        cells = ["-" if rate is None else f"{rate:.3f}" for rate in rates]
        print(f"{name:38} {cells[0]:>5} {cells[1]:>5} {cells[2]:>6} {cells[3]:>8} {cells[4]:>10}")


def counted_shares(
    settings: Settings, years: Iterable[str], themes: Sequence[str]
) -> dict[str, list[tuple[float, float]]]:
    """Return the paragraphs of each theme, and all, in each year, as the study counts them."""
    found = {}
    rows = ask(settings, "prevalence", basis="paragraphs")
    for year in years:
        of = {row["month"]: row["of_amount"] for row in rows if row["month"].startswith(year)}
        found[year] = [
            (
                sum(row["amount"] for row in rows if row["month"] in of and row["theme"] == theme),
                sum(of.values()),
            )
            for theme in themes
        ]
    return found


def errors(
    counted: Mapping[str, list[tuple[float, float]]],
    labels: Labels,
    about: Numbers,
    found: Found,
    repeats: int,
) -> dict[str, Any]:
    """Return the errors of shares by year: root of the mean square, and mean, counted and corrected."""
    years = np.array([each.year for each in found.gold])
    talks = sorted({each.talk for each in found.gold})
    at = np.array([talks.index(each.talk) for each in found.gold])
    totals = [
        np.sum([shares[theme] for shares in counted.values()], axis=0) for theme in range(labels.shape[1])
    ]
    chance = np.random.default_rng(0)
    errors_: dict[str, list[float]] = {"counted": [], "corrected": []}
    noise: list[float] = []
    for _ in range(repeats):
        half = chance.permutation(len(talks)) < len(talks) // 2
        coded, kept = half[at], ~half[at]
        for theme, (of_theme, of) in enumerate(totals):
            weights = np.full(int(coded.sum()), of / coded.sum())
            sample = validity(labels[coded, theme], about[coded, theme], weights, int(of_theme), int(of))
            for year, shares in counted.items():
                read = about[kept & (years == year), theme]
                amount, whole = shares[theme]
                if len(read) < LEAST / 2 or not whole:
                    continue
                corrected = sample.corrected(amount / whole, wilson(int(amount), int(whole)))
                if corrected is None:
                    continue
                wanted = float(read.mean())
                errors_["counted"].append(amount / whole - wanted)
                errors_["corrected"].append(corrected.value - wanted)
                noise.append(wanted * (1 - wanted) / len(read))
    return {
        "compared": len(noise),
        "truth": float(np.sqrt(np.mean(noise))),
        **{
            name: {"rmse": float(np.sqrt(np.mean(np.square(each)))), "mean": float(np.mean(each))}
            for name, each in errors_.items()
        },
    }


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return every figure."""
    paths = arguments.gold or gold_files()
    gold = [each for path in paths for each in read_gold(path) if each.stratum == "random"]
    book = load("llm-in-production")
    files = arguments.talks or talk_files(gold)
    home = arguments.home or folder
    home.mkdir(parents=True, exist_ok=True)
    settings = settings_in(home)
    talks = len({each.talk for each in gold})
    with RunningStudy(settings) as running:
        if sum(ask(settings, "status")["states"].values()) < talks:
            running.hand_in(talks_of(gold, files, folder))
        status = running.until_stored(talks)
        found = Found(settings, gold, book)
        if not found.gold:
            raise DataError("the talks have no paragraph of the gold", "give the talks that it was read in")
        twice = {each.text for each in read_gold(paths[0])}
        shown = walk(settings, found, twice, book, folder)
        themes = sorted({topic.theme for topic in book.topics})
        years = sorted({each.year for each in found.gold})
        read = [year for year in years if sum(each.year == year for each in found.gold) >= LEAST]
        counted = counted_shares(settings, read, themes)
        if arguments.report:
            command = [sys.executable, "-m", "agents.cli", "--study", settings.study, "report"]
            subprocess.run(
                [*command, "--out", str(arguments.report)],
                env=os.environ | {"GROUNDSWELL_HOME": str(home)},
                check=True,
            )
    readings = readings_of(found.gold, len(book.topics))
    units = [[at for at, topic in enumerate(book.topics) if topic.theme == theme] for theme in themes]
    about = (readings.every.astype(np.float64) + readings.some) / 2
    ours = score(found.labels, readings)
    return {
        "machine": describe(),
        "states": status["states"],
        "paragraphs": {"random": len(found.gold), "of": len(gold)},
        "walk": {
            "validate": {
                name: {
                    key: value
                    for key, value in shown[name].items()
                    if key.startswith(("precision", "recall", "kappa", "share", "corrected"))
                }
                for name in ("All topics", *themes)
                if name in shown
            },
            "benchmark": {"precision": ours.precision, "recall": ours.recall},
            "validated": sum(row["validated"] for row in shown.values() if row["kind"] == "topic"),
        },
        "shares": errors(
            counted,
            np.stack([found.labels[:, unit].any(axis=1) for unit in units], axis=1),
            np.stack([about[:, unit].max(axis=1) for unit in units], axis=1),
            found,
            arguments.repeats,
        ),
    }


def show(result: Mapping[str, Any]) -> None:
    """Print the tables."""
    paragraphs = result["paragraphs"]
    print(f"{paragraphs['random']} of {paragraphs['of']} paragraphs that were chosen at random\n")
    print_validities(result["walk"]["validate"])
    other = result["walk"]["benchmark"]
    print(f"{'computed by the benchmarks':38} {other['precision']:5.3f} {other['recall']:5.3f}")
    print(f"{result['walk']['validated']} topics validated\n")
    shares = result["shares"]
    print(f"shares of themes by year, {shares['compared']} comparisons: root of the mean square error, mean")
    for name in ("counted", "corrected"):
        print(f"{name:28} {shares[name]['rmse']:7.4f} {shares[name]['mean']:8.4f}")
    print(f"{'error of the truth itself':28} {shares['truth']:7.4f}")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--gold", type=Path, nargs="+", help="paragraphs that people have read, those read twice first"
    )
    parser.add_argument("--talks", type=Path, nargs="+", help="files of their talks")
    parser.add_argument("--home", type=Path, help="keep the study here (default: a temporary folder)")
    parser.add_argument("--repeats", type=int, default=200, help="times that the talks are halved")
    parser.add_argument("--report", type=Path, help="write the report of the study into this folder")
    parser.add_argument("--out", type=Path, help="write every figure here, as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return told(lambda: measure(arguments, Path(folder)), show, arguments.out)


if __name__ == "__main__":
    raise SystemExit(main())
