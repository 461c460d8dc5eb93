"""Cost of tables that survive a power loss: storing talks with and without fsync, in turn.

python benchmarks/durability.py [--folder FOLDER] [--rounds 5] [--out FILE.json]

Two studies in the embedded engine, one with the settings of `streams.store.warehouse.DURABLE` and one with
ClickHouse's own. Both store the same talks of 24 paragraphs as the store agent writes them: 20 talks a block,
as during an import, and one talk a block, as in daily work. The result is the ratio of the times of each
round (by the clock, as fsync waits), with its median. FOLDER must be on a disk: memory has nothing to wait
for.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.machine import describe
from benchmarks.warehouse import talk_rows
from streams.settings import Settings
from streams.store import writer
from streams.store.warehouse import DURABLE, Warehouse

TALKS = {"import": 20, "daily": 1}
"""Talks a block."""
BLOCKS = 5


def seconds(home: Path, study: str, first: int, talks: int, *, durable: bool) -> float:
    """Return the seconds in which the blocks are stored."""
    with Warehouse(Settings(home=home, study=study)) as warehouse:
        warehouse.migrate()
        if not durable:
            for row in warehouse.rows(
                "SELECT name FROM system.tables WHERE database = currentDatabase()"
                " AND engine LIKE '%MergeTree'"
            ):
                warehouse.command(f"ALTER TABLE {row['name']} RESET SETTING {', '.join(DURABLE)}")
        warehouse.warm_up()
        begun = time.perf_counter()
        for block in range(BLOCKS):
            numbers = range(first + block * talks, first + (block + 1) * talks)
            writer.write(warehouse, [row for number in numbers for row in talk_rows(number)])
        return time.perf_counter() - begun


def run(folder: Path | None, rounds: int) -> dict[str, Any]:
    """Return the times and ratios of each way of work."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=folder) as home:
        for way, talks in TALKS.items():
            times: dict[bool, list[float]] = {True: [], False: []}
            for turn in range(rounds):
                for durable in (True, False) if turn % 2 else (False, True):
                    study = f"{way}_{'durable' if durable else 'plain'}"
                    times[durable].append(seconds(Path(home), study, turn * 1000, talks, durable=durable))
            ratios = [with_fsync / without for with_fsync, without in zip(*times.values(), strict=True)]
            found[way] = {
                "talks_a_block": talks,
                "block_s": statistics.median(times[True]) / BLOCKS,
                "block_without_fsync_s": statistics.median(times[False]) / BLOCKS,
                "ratio": statistics.median(ratios),
                "ratios": ratios,
            }
    return found


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="on the disk to measure (the folder for temporary files)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each way (5)")
    parser.add_argument("--out", type=Path, help="write the results to this file as JSON")
    arguments = parser.parse_args()
    found = run(arguments.folder, arguments.rounds)
    for way, times in found.items():
        print(
            f"{way:7} a block of {times['talks_a_block']:2} talks: {times['ratio']:.2f} times as long "
            f"({min(times['ratios']):.2f} to {max(times['ratios']):.2f}); "
            f"{1000 * times['block_s']:.0f} ms, without fsync {1000 * times['block_without_fsync_s']:.0f} ms"
        )
    if arguments.out:
        report = {"machine": describe(), "ways": found}
        arguments.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
