"""Steps of Whisper's decoder when windows are decoded in batches: in order, or grouped as ours are.

    python benchmarks/batches.py [--talks FILE] [--limit 60] --out FILE.json

A batch takes as many steps as its longest window has tokens. On a GPU, which a step of a batch does not fill,
the steps are the time; on a CPU they are not. Nothing is decoded here: talks whose every sentence has a
second are cut into windows of up to 30 s as faster-whisper does, and their tokens are those of the text.
What a GPU makes of it is measured by benchmarks/speech.py on a GPU.

Each talk in stretches of ten minutes, as the worker transcribes it, and whole, as others do; in batches of 16
and of 24 windows, in spoken order and as we do it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.topics.streams import cache_folder, data_file, lines
from models.audio.segmentation import STRETCH_S
from models.bundled_models import prepare
from models.speech.decoding import BATCH
from models.speech.length_buckets import batches
from streams.errors import DataError

TALKS = "talks/talkpython.jsonl.gz"
SHORTEST_S = 1800
WINDOW_S = 30.0
MOST_TOKENS = 448
"""Whisper has room for no more in a window."""

Window = tuple[float, int]
"""Seconds, and tokens."""


def in_spoken_order(lengths: list[float], size: int) -> list[list[int]]:
    """Return batches as faster-whisper makes them."""
    numbers = list(range(len(lengths)))
    return [numbers[at : at + size] for at in range(0, len(numbers), size)]


WAYS = {
    f"{name}, {size}": (divide, size)
    for size in (16, BATCH)
    for name, divide in (("in order", in_spoken_order), ("ours", batches))
}


def steps(windows: list[Window], divided: list[list[int]]) -> int:
    """Return the steps that batches of windows take.

    Example:
        >>> steps([(30.0, 100), (30.0, 90), (5.0, 9)], [[0, 1], [2]])
        109
    """
    return sum(max(windows[at][1] for at in batch) for batch in divided)


@cache
def tokenizer() -> Any:
    """Whisper's tokenizer."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(prepare(cache_folder() / "models").whisper / "tokenizer.json"))


def windows_of(sentences: list[tuple[float, float, str]]) -> Iterator[Window]:
    """Cut timed sentences into windows: as many as begin and end within 30 s of the first one's begin.

    Example:
        >>> [seconds for seconds, _ in windows_of([(0, 20, "a"), (20, 29, "b"), (29, 40, "c")])]
        [29, 11]
    """
    begin, last, texts = 0.0, 0.0, list[str]()
    for start, end, text in sentences:
        if texts and end - begin > WINDOW_S:
            yield _window(last - begin, texts)
            texts = []
        begin, last = (begin if texts else start), end
        texts.append(text)
    if texts:
        yield _window(last - begin, texts)


def _window(seconds: float, texts: list[str]) -> Window:
    tokens = len(tokenizer().encode(" ".join(texts), add_special_tokens=False).ids)
    return min(WINDOW_S, seconds), min(MOST_TOKENS, tokens)


def talks_of(path: Path, limit: int) -> list[list[tuple[float, float, str]]]:
    """Return the timed sentences of the first long talks, each until the next one begins.

    Raises:
        DataError: the file cannot be read, or has no long talk whose sentences have seconds.
    """
    talks = list(islice(_long(path), limit))
    if not talks:
        raise DataError(
            f"{path} has no talk of half an hour whose sentences have seconds", "name another file"
        )
    return talks


def _long(path: Path) -> Iterator[list[tuple[float, float, str]]]:
    with lines(path) as file:
        for number, line in enumerate(file, 1):
            try:
                talk = json.loads(line)
                said = [each for each in talk.get("segments", ()) if each["text"].strip() and "start" in each]
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise DataError(
                    f"line {number} of {path} is not a talk ({error!r})", "give one JSON talk a line"
                ) from error
            if not said or talk.get("duration_s", 0) < SHORTEST_S or talk.get("dup_of"):
                continue
            starts = [float(each["start"]) for each in said]
            ends = [*starts[1:], float(talk["duration_s"])]
            yield [
                (start, max(start, end), each["text"])
                for start, end, each in zip(starts, ends, said, strict=True)
            ]


def measured(talks: Iterable[list[tuple[float, float, str]]]) -> dict[str, Any]:
    """Return steps and batches of each way, in stretches and whole."""
    found: dict[str, Any] = {
        cut: {way: {"steps": 0, "batches": 0} for way in WAYS} for cut in ("stretches", "whole")
    }
    for talk in talks:
        count = max(1, round(talk[-1][1] / STRETCH_S))
        ends = [talk[-1][1] * number / count for number in range(count + 1)]
        cuts = {
            "stretches": [[each for each in talk if a <= each[0] < b] for a, b in pairwise(ends)],
            "whole": [talk],
        }
        for cut, parts in cuts.items():
            for part in parts:
                windows = list(windows_of(part))
                for way, (divide, size) in WAYS.items():
                    divided = divide([seconds for seconds, _ in windows], size)
                    found[cut][way]["steps"] += steps(windows, divided)
                    found[cut][way]["batches"] += len(divided)
    return found


def main() -> int:
    """Count, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--talks", type=Path, help="a file of talks whose sentences have seconds")
    parser.add_argument("--limit", type=int, default=60, help="so many talks of half an hour and more (60)")
    parser.add_argument("--out", type=Path, help="write the counts here as JSON")
    arguments = parser.parse_args()
    try:
        path = arguments.talks or data_file(TALKS)
        found = measured(talks_of(path, arguments.limit))
    except DataError as error:
        print(f"error: {error.cause}\n  cure: {error.cure}", file=sys.stderr)
        return 1
    for cut, ways in found.items():
        for way, counts in ways.items():
            ratio = counts["steps"] / max(1, ways["in order, 16"]["steps"])
            print(
                f"{cut:10} {way:12} {counts['steps']:8,} steps, {ratio:.3f}  ({counts['batches']:,} batches)"
            )
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
