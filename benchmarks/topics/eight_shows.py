"""A study of eight shows, judged by readers: how valid are its shares, and what are its alerts worth?

python benchmarks/topics/eight_shows.py --home FOLDER [--every N] [--sheet FILE.csv]
                                         [--others FILE.jsonl] [--codings FILE.csv] [--repeats N]
                                         [--out FILE.json]

`groundswell run` learns every second talk (by a hash of its id) of the shows of the gold, in the order of
publication, with default settings, and the study is kept in `--home`; one that has the talks already is not
made again, which takes an hour. `groundswell validate draw` draws its default sample. Two readers have
coded it blind, by the definitions that the readers of the gold had (`coded_sample.csv` beside this: for each
paragraph the topics by either). Both are language models of one kind: their agreement is overstated.
`--sheet` writes the sheet to code, instead of what follows; `--others` writes the other talks, as a stream
for other benchmarks that nothing here was made on.

- validity: what `groundswell validate show` says.
- shares: of each theme among the paragraphs, by year and of all years, as the study counts it and corrected,
  against the share that people read in the paragraphs of the gold that were chosen at random from the whole
  shows: root of the mean square error, and mean. The readings of so few paragraphs have an error of their
  own, the same for both, which stands beside them. The interval of the difference between both (of mean
  square errors) is from `--repeats` resamples of the talks of the gold.
- alerts: by rule, how many are news, or worth telling, by each of two such readers who judged them blind
  (`judged_mixed_alerts.csv` beside this), and kappa. Drifts were judged before those were held back that say
  nothing (ADR 41); alerts that nobody has judged are counted as such.

The judge of concepts that comes with Groundswell was fitted to this gold: what it counts is better here than
elsewhere, and there is less to correct.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
from benchmarks.topics.validation_walk import (
    LEAST,
    READERS,
    counted_shares,
    print_validities,
    validate,
    validities,
)
from models.codebook.codebook import load
from models.relevance.kappa import agreement
from streams.errors import DataError
from streams.settings import Settings

Numbers = NDArray[np.float64]
CODED = Path(__file__).with_name("coded_sample.csv")
JUDGED = Path(__file__).with_name("judged_mixed_alerts.csv")
WHOLE = ""
"""Prefix of every month: all years together."""


def every(files: Iterable[Path], step: int, path: Path, *, others: bool = False) -> int:
    """Write every `step`-th talk of some files, or the others, as a collection; return their number."""
    wanted = []
    for file in files:
        with streams.lines(file) as records:
            for line in records:
                talk = json.loads(line)
                if (hashlib.sha256(talk["id"].encode()).digest()[0] % step == 0) != others:
                    wanted.append((talk["published_at"], line.rstrip("\n")))
    path.write_text("".join(f"{line}\n" for _, line in sorted(wanted)), encoding="utf-8")
    return len(wanted)


def code(settings: Settings, codings: Path, folder: Path) -> tuple[int, int]:
    """Enter the codings of both readers into the study; return the sizes: of the sample, coded."""
    sheet = list(csv.DictReader(validate(settings, "sheet").splitlines(keepends=True)))
    with codings.open(newline="", encoding="utf-8") as file:
        known = {row["paragraph_id"]: row for row in csv.DictReader(file)}
    coded = [known[row["paragraph_id"]] for row in sheet if row["paragraph_id"] in known]
    if not coded:
        raise DataError(f"{codings.name} has none of the sample's paragraphs", "write a --sheet and code it")
    for reader in READERS:
        path = folder / f"{reader}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            filled = csv.writer(file)
            filled.writerow(("paragraph_id", "topics"))
            filled.writerows((row["paragraph_id"], row[reader]) for row in coded)
        validate(settings, "read", str(path), "--reviewer", reader)
    return len(sheet), len(coded)


def compare(
    counted: Mapping[str, Sequence[tuple[float, float]]],
    ratios: Sequence[float | None],
    about: Numbers,
    gold: Sequence[GoldParagraph],
    repeats: int,
) -> dict[str, Any]:
    """Return the errors of shares, counted and corrected, against what people read.

    Args:
        counted: paragraphs of each theme, and all, by the beginning of their months.
        ratios: of each theme, paragraphs about it for each that is counted; None where that is not known.
        about: whether each gold paragraph is about each theme, as people say, [n, themes] in [0, 1].
        gold: the n paragraphs.
        repeats: resamples of their talks.
    """
    years = np.array([each.year for each in gold])
    of_talk: dict[str, list[int]] = {}
    for at, paragraph in enumerate(gold):
        of_talk.setdefault(paragraph.talk, []).append(at)
    talks = [np.array(rows) for rows in of_talk.values()]

    def errors(rows: NDArray[np.intp]) -> Numbers:
        """Return rows of: error as counted, corrected, variance of what was read, for the gold's `rows`."""
        found = []
        for period, shares in counted.items():
            of_period = rows[np.char.startswith(years[rows], period)]
            if len(of_period) < LEAST / 2:
                continue
            for theme, ratio in enumerate(ratios):
                amount, whole = shares[theme]
                if ratio is None or not whole:
                    continue
                read = float(about[of_period, theme].mean())
                share = amount / whole
                variance = read * (1 - read) / len(of_period)
                found.append((share - read, min(1.0, share * ratio) - read, variance))
        return np.array(found)

    whole = errors(np.arange(len(gold)))
    chance = np.random.default_rng(0)
    gains = []
    for _ in range(repeats):
        drawn = chance.integers(len(talks), size=len(talks))
        squares = errors(np.concatenate([talks[at] for at in drawn])) ** 2
        gains.append(float((squares[:, 0] - squares[:, 1]).mean()))
    low, high = np.quantile(gains, (0.025, 0.975))
    squares = whole**2
    return {
        "compared": len(whole),
        "truth": float(np.sqrt(whole[:, 2].mean())),
        "counted": {"rmse": float(np.sqrt(squares[:, 0].mean())), "mean": float(whole[:, 0].mean())},
        "corrected": {"rmse": float(np.sqrt(squares[:, 1].mean())), "mean": float(whole[:, 1].mean())},
        "gain": {
            "mse": float((squares[:, 0] - squares[:, 1]).mean()),
            "low": float(low),
            "high": float(high),
        },
    }


def judged(alerts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how many alerts of each rule either reader found worth reading, and their agreement (kappa)."""
    with JUDGED.open(newline="", encoding="utf-8") as file:
        known = {(row["rule"], row["title"]): row for row in csv.DictReader(file)}
    found: dict[str, Counter[str]] = {}
    verdicts: dict[str, list[str]] = {reader: [] for reader in READERS}
    for alert in alerts:
        counts = found.setdefault(alert["rule"], Counter())
        row = known.get((alert["rule"], alert["title"]))
        counts["alerts"] += 1
        counts["not judged"] += row is None
        if row is not None:
            for reader in READERS:
                counts[reader] += row[reader] == "yes"
                verdicts[reader].append(row[reader])
    return {
        "rules": {rule: dict(counts) for rule, counts in sorted(found.items())},
        "kappa": agreement(*verdicts.values()).kappa,
    }


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return every figure."""
    gold = [each for path in gold_files() for each in read_gold(path) if each.stratum == "random"]
    book = load("llm-in-production")
    if arguments.others:
        return {"others": every(talk_files(gold), arguments.every, arguments.others, others=True)}
    arguments.home.mkdir(parents=True, exist_ok=True)
    settings = settings_in(arguments.home)
    path = folder / "talks.jsonl"
    talks = every(talk_files(gold), arguments.every, path)
    with RunningStudy(settings) as running:
        before = sum(ask(settings, "status")["states"].values())
        if before < talks:
            running.hand_in(path)
        status = running.until_stored(talks)
        validate(settings, "draw", "--author", "benchmark")
        if arguments.sheet:
            arguments.sheet.write_text(validate(settings, "sheet"), encoding="utf-8")
            return {"sheet": str(arguments.sheet)}
        sample, coded = code(settings, arguments.codings, folder)
        shown = validities(settings)
        alerts = judged(ask(settings, "alerts_raised", limit=1000))
        themes = sorted({topic.theme for topic in book.topics})
        years = sorted({each.year for each in gold})
        read = [year for year in years if sum(each.year == year for each in gold) >= LEAST]
        by_year = counted_shares(settings, read, themes)
        of_all = counted_shares(settings, [WHOLE], themes)
    readings = readings_of(gold, len(book.topics))
    both = (readings.every.astype(np.float64) + readings.some) / 2
    about = np.stack(
        [
            both[:, [at for at, topic in enumerate(book.topics) if topic.theme == theme]].max(axis=1)
            for theme in themes
        ],
        axis=1,
    )
    ratios = [
        row["corrected"] / row["share"] if row["corrected"] is not None and row["share"] else None
        for row in (shown[theme] for theme in themes)
    ]
    return {
        "machine": describe(),
        "states": status["states"],
        "sample": {"paragraphs": sample, "coded": coded},
        "validity": {name: row for name, row in shown.items() if row["kind"] != "topic"},
        "validated": sum(row["validated"] for row in shown.values() if row["kind"] == "topic"),
        "by_year": compare(by_year, ratios, about, gold, arguments.repeats),
        "of_all": compare(of_all, ratios, about, gold, arguments.repeats),
        "alerts": alerts,
    }


def show(result: Mapping[str, Any]) -> None:
    """Print the tables."""
    if "sheet" in result:
        print(f"to code: {result['sheet']}")
        return
    if "others" in result:
        print(f"{result['others']} talks")
        return
    sample = result["sample"]
    print(f"{sample['coded']} of {sample['paragraphs']} paragraphs of the sample are coded\n")
    print_validities(result["validity"])
    print(f"{result['validated']} topics validated")
    for name, label in (("by_year", "by year"), ("of_all", "of all years")):
        shares = result[name]
        print(f"\nshares of themes {label}, {shares['compared']} comparisons: RMSE, mean error")
        for way in ("counted", "corrected"):
            print(f"{way:28} {shares[way]['rmse']:7.4f} {shares[way]['mean']:8.4f}")
        print(f"{'error of what was read':28} {shares['truth']:7.4f}")
        gain = shares["gain"]
        print(f"mean square error saved: {gain['mse']:.6f} (95 % {gain['low']:.6f} to {gain['high']:.6f})")

    print(f"\n{'alerts':12} {'all':>5} {'first':>6} {'second':>7} {'not judged':>11}")
    for rule, counts in result["alerts"]["rules"].items():
        cells = [counts.get(name, 0) for name in ("alerts", *READERS, "not judged")]
        print(f"{rule:12} {cells[0]:>5} {cells[1]:>6} {cells[2]:>7} {cells[3]:>11}")
    kappa = result["alerts"]["kappa"]
    print("kappa -" if kappa is None else f"kappa {kappa:.2f}")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, required=True, help="keep the study here")
    parser.add_argument("--every", type=int, default=2, metavar="N", help="every N-th talk (2)")
    parser.add_argument("--sheet", type=Path, help="write the sheet to code to this file, and end")
    parser.add_argument("--others", type=Path, help="write the other talks to this file (JSONL), and end")
    parser.add_argument("--codings", type=Path, default=CODED, help="the topics that two readers gave (CSV)")
    parser.add_argument("--repeats", type=int, default=1000, help="resamples of the talks of the gold (1000)")
    parser.add_argument("--out", type=Path, help="write every figure here, as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return told(lambda: measure(arguments, Path(folder)), show, arguments.out)


if __name__ == "__main__":
    raise SystemExit(main())
