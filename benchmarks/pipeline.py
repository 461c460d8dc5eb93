"""Throughput of the whole path, from ready transcripts to stored assignments.

A study of its own runs in a temporary folder, as `groundswell run` in a child process: Tansu, chDB, all
agents, the page. When every talk is stored it is stopped, and another process embeds the same paragraphs
and does nothing else: the same model and settings, one talk at a time. The ratio of the two wall times says
what the path costs beyond its one heavy computation; the goal is 2 or less. Other work on the machine changes
it, so the report says how many cores were busy elsewhere, and gives the ratio of processor times too.

A file of talks has one JSON talk a line, as `groundswell ingest` reads them; those with `dup_of` are left
out. The report is JSON, on stdout or in --out; a table, progress and errors are on stderr. GROUNDSWELL_*
settings apply, save those that say where a study is kept and how long its talks may be.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.machine import Meter
    from streams.settings import Settings

GOAL = 2.0


@dataclass(frozen=True)
class Phase:
    """A stretch of measuring, and what else the machine did meanwhile (see `Meter`)."""

    wall_s: float
    cpu_s: float
    elsewhere_cores: float
    load: tuple[float, float]

    @classmethod
    def of(cls, meter: Meter) -> Phase:
        """Return what a meter measured."""
        before, after = meter.load
        return cls(
            wall_s=round(meter.wall_s, 3),
            cpu_s=round(meter.cpu_s, 3),
            elsewhere_cores=round(meter.elsewhere_cores, 3),
            load=(round(before, 2), round(after, 2)),
        )


@dataclass(frozen=True)
class Embedded:
    """Result of embedding alone."""

    model: str
    paragraphs: int
    words: int
    phase: Phase


def main(arguments: list[str]) -> int:
    """Measure and report; return the exit code."""
    options = _options(arguments)
    from agents.cli.console import exit_code_of
    from benchmarks.talks import default_file

    try:
        _check_out(options.out)
        report = measure(options.talks or default_file(), options.count)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return exit_code_of(error)
    _show(report)
    text = json.dumps(report, ensure_ascii=False, indent=2)
    if options.out is None:
        print(text)
    else:
        options.out.write_text(f"{text}\n")
    return 0


def measure(path: Path, count: int) -> dict[str, Any]:
    """Run the first `count` talks of a file through a study; return the report.

    Raises:
        DataError: the file is no file of talks, or has none.
        Unavailable: the study did not start, stopped, or went no further.
    """
    from agents.cli.console import tell
    from benchmarks.machine import Meter, describe, held
    from benchmarks.study import RunningStudy, settings_in
    from benchmarks.talks import first_talks

    records = first_talks(path, count)
    with tempfile.TemporaryDirectory(prefix="groundswell-benchmark-") as folder:
        settings = settings_in(Path(folder))
        talks_file = Path(folder) / "talks.jsonl"
        talks_file.write_bytes(b"\n".join(records))
        tell("starting groundswell in a new home")
        with RunningStudy(settings) as study:
            tell(f"ready after {study.startup_s:.1f} s; handing in {len(records)} talks")
            with Meter(study.pid, sample_s=0.5) as meter:
                talks = study.hand_in(talks_file)
                status = study.until_stored(talks)
            stages = study.stages()
        folders = {"database": settings.database_folder, "blobs": settings.study_home / "blobs"}
        sizes = {name: held(folder)[0] for name, folder in folders.items()}
        tell("embedding the same paragraphs alone")
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            alone = pool.submit(embed_alone, settings, status["paragraphs"]).result()
    whole = Phase.of(meter)
    return {
        "benchmark": "pipeline",
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "file": path.name,
        "talks": talks,
        "assigned": status["states"].get("assigned", 0),
        "rejected": status["states"].get("rejected", 0),
        "dead_letters": status["dead_letters"],
        "paragraphs": alone.paragraphs,
        "words": alone.words,
        "hours": round(status["hours"], 3),
        "bytes": sizes,
        "topics": status["topics"],
        "startup_s": round(study.startup_s, 3),
        "wall_s": whole.wall_s,
        "paragraphs_per_s": round(alone.paragraphs / whole.wall_s, 3),
        "embedding_s": alone.phase.wall_s,
        "ratio": round(whole.wall_s / alone.phase.wall_s, 4),
        "cpu_ratio": round(whole.cpu_s / alone.phase.cpu_s, 4),
        "goal": GOAL,
        "peak_memory_mb": round(meter.peak_mb, 1),
        "stages": {name: asdict(stage) for name, stage in stages.items()},
        "phases": {"whole": asdict(whole), "embedding": asdict(alone.phase)},
        "settings": {
            "embedding_model": alone.model,
            "codebook": Path(settings.codebook).name,
            **settings.model_dump(mode="json", include={"device", "threads", "max_tokens"}),
        },
        "machine": describe(),
    }


def embed_alone(settings: Settings, paragraphs: int) -> Embedded:
    """Embed again what a study has kept: so many paragraphs, talk by talk. Needs a process of its own.

    Raises:
        Unavailable: these are other paragraphs or other embeddings, so that the times do not compare.
    """
    import numpy as np

    from agents.runtime.wiring import SharedResources
    from benchmarks.machine import Meter
    from models.transcripts.paragraphs import Paragraphs
    from streams.errors import Unavailable

    parts = SharedResources(settings)
    kept = [Paragraphs.load(parts.blobs.get(key)) for key in parts.blobs.keys("paragraphs")]
    talks = [[paragraph.text for paragraph in talk.paragraphs] for talk in kept]
    parts.embedder.embed(["this loads the model, as the start of a study does"])
    with Meter(os.getpid()) as meter:
        made = [parts.embedder.embed(texts) for texts in talks]
    texts = [text for talk in talks for text in talk]
    pairs = zip(made, kept, strict=True)
    if len(texts) != paragraphs or not all(np.allclose(a, b.embeddings, atol=1e-4) for a, b in pairs):
        raise Unavailable(
            "the paragraphs embedded alone are not those of the study", "this is a bug: please report it"
        )
    words = sum(len(text.split()) for text in texts)
    return Embedded(parts.embedder.version, len(texts), words, Phase.of(meter))


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="pipeline.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--talks",
        type=Path,
        metavar="FILE",
        help="talks as .jsonl or .jsonl.gz (default: talks/changelog_practicalai.jsonl.gz in the folder that "
        "GROUNDSWELL_TEST_DATA names, or in ../shared/data beside the project)",
    )
    parser.add_argument("--count", type=_positive, default=200, help="at most so many talks (default: 200)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.json", help="write the report there (default: stdout)"
    )
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of talks: say 1 or more")
    return int(text)


def _check_out(out: Path | None) -> None:
    """Find out now, and not after minutes of measuring, that the report cannot be written."""
    from streams.errors import DataError

    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise DataError(f"the report cannot be written to {out}", "name a file in a folder that exists")


def _show(report: dict[str, Any]) -> None:
    """Print the report as tables, on stderr."""
    from rich.console import Console
    from rich.table import Table

    stages = Table(box=None, pad_edge=False, header_style="bold")
    stages.add_column("AGENT")
    for heading in ("EVENTS", "HANDLING S", "SETTLING S", "OF WALL TIME"):
        stages.add_column(heading, justify="right")
    for name, stage in report["stages"].items():
        handling, settling = stage["handling_s"], stage["settling_s"]
        share = (handling + settling) / report["wall_s"]
        stages.add_row(name, str(stage["events"]), f"{handling:.1f}", f"{settling:.1f}", f"{share:.0%}")
    summary = Table.grid(padding=(0, 2))
    for name, fact in _facts(report).items():
        summary.add_row(name, fact)
    console = Console(stderr=True, width=None if sys.stderr.isatty() else 110, highlight=False)
    console.print("", stages, "", summary, sep="\n")


def _facts(report: dict[str, Any]) -> dict[str, str]:
    whole, alone = report["phases"]["whole"], report["phases"]["embedding"]
    reached = "reached" if report["ratio"] <= report["goal"] else "missed"
    return {
        "corpus": f"{report['talks']} talks, {report['paragraphs']:,} paragraphs, {report['words']:,} words; "
        f"{report['rejected']} rejected, {report['dead_letters']} dead letters",
        "start-up": f"{report['startup_s']:.1f} s",
        "whole path": f"{report['wall_s']:.1f} s, {report['paragraphs_per_s']:.1f} paragraphs/s; "
        f"processor {whole['cpu_s']:.1f} s; {whole['elsewhere_cores']:.2f} cores busy elsewhere",
        "embedding alone": f"{report['embedding_s']:.1f} s; processor {alone['cpu_s']:.1f} s; "
        f"{alone['elsewhere_cores']:.2f} cores busy elsewhere",
        "ratio": f"{report['ratio']:.2f} (goal: at most {report['goal']:g}: {reached}); "
        f"of processor time {report['cpu_ratio']:.2f}",
        "peak memory": f"{report['peak_memory_mb']:,.0f} MB, all processes together",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
