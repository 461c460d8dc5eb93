"""Agreement of paragraph boundaries with the sections that people marked in talks.

    python benchmarks/splitting.py --limit 40 --out FILE.json

Sections are those of people: headings in the Bitcoin Optech recaps (every section is an item of their
newsletter, and begins with a paragraph of the text, often without a change of speaker), and chapters of
Changelog shows. A chapter is a second of the recording; where that is in the text is estimated from the few
times that the text states, more than a minute apart: the nearest paragraph stands for it, and may be the
wrong one. Sponsors' chapters are not in the text. A turn lasts until another speaker begins: paragraphs of
the text are people's work too, and nobody gives them to the splitter.

Split the same talks: our splitter (300 tokens, and 150); sentences packed in order, up to 300 tokens; whole
turns packed so, sentences only where a turn is longer; the same, with a new chunk at every turn once 150 are
there. Beside each stand chunks of a fixed number of words, cut wherever that is, as many as it made: the more
boundaries, the easier they hit. Measured in each talk, then averaged:

- hit: share of people's boundaries with one of ours at most a sentence away; exact: at the very place
- mixed: share of chunks that reach into a second section; astray: share of words that stand in a chunk
  which is mostly of another section
- broken: share of chunks that end within a sentence
- Pk (Beeferman et al. 1999) and WindowDiff (Pevzner and Hearst 2002) over sentences, in windows of half a
  section; lower is better. Sections are longer than 300 tokens, so all of them cut more often than people
  do, and both mostly count that: compare them between rows of as many chunks only.

With 95 % intervals of the difference to the fixed chunks (bootstrap over talks).
"""

from __future__ import annotations

import argparse
import bisect
import json
import os
import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import Meter, describe
from benchmarks.topics.streams import MAX_TOKENS, embedder, lines
from models.errors import BadInput, ModelUnavailable
from models.transcripts.json_transcript import TalkRecord
from models.transcripts.splitting import SPECIAL_TOKENS, Splitter
from models.transcripts.transcript import Segment, Transcript
from streams.errors import DataError

DATA = Path(os.environ.get("GROUNDSWELL_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
CORPORA = {
    "headings": ("optech_podcast",),
    "chapters": ("changelog_friends", "changelog_jsparty", "changelog_shipit"),
}
LEAST = 3
"""Sections of a talk at least."""
TIMED = 0.5
"""Share of a talk's segments whose time is known at least, where sections are given as seconds."""
RESAMPLES = 2000
HIGHER, LOWER = ("hit", "exact"), ("mixed", "astray", "broken", "pk", "windowdiff")
_END = re.compile(r"[.!?…][\"'”’)\]]*$")

Cuts = list[int]
"""Boundaries as numbers of words before them, ascending, neither 0 nor all words."""


@dataclass(frozen=True)
class Talk:
    """A talk as words, and where in them things end.

    Attributes:
        words: all of them.
        segments: as the splitter gets them.
        turns: where another speaker begins.
        sentences: where a sentence ends; all segments end with one, so last is the number of words.
        sections: where people say that a section begins.
    """

    talk_id: str
    words: list[str]
    segments: tuple[Segment, ...]
    turns: Cuts
    sentences: Cuts
    sections: Cuts


Method = Callable[[Talk], Cuts]


def pk(reference: str, found: str, window: int) -> float:
    """Return how often the two disagree whether there is a boundary in a window.

    Args:
        reference: of each place where a boundary can be, "1" for one and "0" for none.
        found: the same.
        window: places that are looked at together.

    Example:
        >>> round(pk("0100" * 100, "1" * 400, 2), 2), pk("0100" * 100, "0100" * 100, 2)
        (0.5, 0.0)
    """
    there, here = _counted(reference, window), _counted(found, window)
    return sum((one > 0) != (other > 0) for one, other in zip(there, here, strict=True)) / len(there)


def windowdiff(reference: str, found: str, window: int) -> float:
    """Return how often the two disagree how many boundaries there are in a window. As `pk` otherwise.

    Example:
        >>> windowdiff("000100000010", "000010000100", 3), windowdiff("000010000100", "100000010000", 3)
        (0.3, 0.8)
    """
    there, here = _counted(reference, window), _counted(found, window)
    return sum(one != other for one, other in zip(there, here, strict=True)) / len(there)


def _counted(boundaries: str, window: int) -> list[int]:
    return [boundaries[at : at + window].count("1") for at in range(len(boundaries) - window + 1)]


def talks(corpus: str, limit: int | None) -> list[Talk]:
    """Return at most `limit` talks of each file of a corpus, spread over its years.

    Raises:
        DataError: a file is not there.
    """
    found = []
    for name in CORPORA[corpus]:
        path = DATA / "talks" / f"{name}.jsonl.gz"
        if not path.exists():
            raise DataError(
                f"there is nothing to measure with: talks/{name}.jsonl.gz is not in {DATA}",
                "let GROUNDSWELL_TEST_DATA name the folder that has it",
            )
        with lines(path) as file:
            of_it = [talk for record in map(json.loads, file) if (talk := read(record)) is not None]
        step = max(1.0, len(of_it) / limit) if limit else 1.0
        found += [of_it[int(at * step)] for at in range(min(limit or len(of_it), len(of_it)))]
    return found


def read(record: dict[str, Any]) -> Talk | None:
    """Return a record of a talk; None where it does not say its sections."""
    spoken = [segment for segment in record["segments"] if segment["text"].strip()]
    segments = TalkRecord.model_validate(record).timed_segments()
    starts = [0, *accumulate(len(segment.text.split()) for segment in segments)]
    words = [word for segment in segments for word in segment.text.split()]
    if "chapters" in record:
        begins = _chapters(record["chapters"], spoken)
    else:
        names = [segment.get("section") for segment in spoken]
        begins = [place for place, (one, other) in enumerate(pairwise(names), 1) if one != other]
    if len(begins) < LEAST - 1:
        return None
    ends = {
        place
        for place in range(1, len(words))
        if _END.search(words[place - 1]) and not words[place][0].islower()
    }
    return Talk(
        record["id"],
        words,
        segments,
        turns=[
            start
            for start, (one, other) in zip(starts[1:-1], pairwise(segments), strict=True)
            if one.speaker != other.speaker
        ],
        sentences=sorted(ends | set(starts[1:])),
        sections=[starts[place] for place in begins],
    )


def _chapters(chapters: Sequence[dict[str, Any]], spoken: Sequence[dict[str, Any]]) -> list[int]:
    """Return the segments that chapters begin with: those whose known or estimated start is the nearest."""
    times = [(segment.get("start", segment.get("start_est")), place) for place, segment in enumerate(spoken)]
    known = sorted((second, place) for second, place in times if second is not None)
    if len(known) < TIMED * len(spoken):
        return []
    said = [chapter for chapter in chapters if "sponsor" not in chapter["title"].casefold()]
    nearest = {min(known, key=lambda each: abs(each[0] - chapter["start"]))[1] for chapter in said}
    return sorted(nearest - {0})


def ours(splitter: Splitter) -> Method:
    """Cut as the pipeline does."""

    def cut(talk: Talk) -> Cuts:
        transcript = Transcript.model_construct(segments=talk.segments, duration_s=talk.segments[-1].end)
        letters = list(accumulate(len(word) for word in talk.words))
        ends = accumulate(len("".join(each.text.split())) for each in splitter.split(transcript))
        return sorted({bisect.bisect_left(letters, end) + 1 for end in ends} - {len(talk.words)})

    return cut


def packed(splitter: Splitter, *, turns: bool, enough: int = MAX_TOKENS) -> Method:
    """Cut before what would be too much: a sentence, or with `turns` a turn, unless it alone is too much.

    With `enough` tokens together, any turn begins a new chunk.
    """

    def cut(talk: Talk) -> Cuts:
        room, begins = splitter.max_tokens - SPECIAL_TOKENS, set(talk.turns)
        cuts: Cuts = []
        held = 0
        for begin, tokens in _pieces(splitter, talk, room, turns=turns):
            if begin and (held + tokens > room or (held >= enough and begin in begins)):
                cuts.append(begin)
                held = 0
            held += tokens
        return cuts

    return cut


def _pieces(splitter: Splitter, talk: Talk, room: int, *, turns: bool) -> Iterator[tuple[int, int]]:
    """Yield (words before it, tokens) of what is kept together."""
    levels = [[*talk.turns, len(talk.words)], talk.sentences, range(1, len(talk.words) + 1)]
    waiting = [(0, len(talk.words), levels if turns else levels[1:])]
    while waiting:
        begin, end, finer = waiting.pop()
        tokens = splitter._count(" ".join(talk.words[begin:end])) - SPECIAL_TOKENS
        whole = begin > 0 or end < len(talk.words)  # the talk itself is none
        if not finer or (whole and tokens <= room):
            yield begin, tokens
            continue
        inner = [begin, *(place for place in finer[0] if begin < place <= end)]
        waiting += [(first, after, finer[1:]) for first, after in pairwise(inner)][::-1]


def fixed(like: Cuts, talk: Talk) -> Cuts:
    """Cut into as many chunks as `like`, all of the same number of words.

    Example:
        >>> talk = Talk("t", ["word"] * 10, (), [], [10], [])
        >>> fixed([1, 2], talk)
        [3, 7]
    """
    size = len(talk.words) / (len(like) + 1)
    return [round(size * number) for number in range(1, len(like) + 1)]


def measured(cuts: Cuts, talk: Talk) -> dict[str, float]:
    """Return what cuts are worth in one talk: see the top of this file."""
    chunks = list(pairwise([0, *cuts, len(talk.words)]))
    section_of = np.zeros(len(talk.words), int)
    section_of[talk.sections] = 1
    section_of = section_of.cumsum()
    sentences, places = talk.sentences, sorted(cuts)
    ends = {end: number for number, end in enumerate(sentences)}
    hits = 0
    for boundary in talk.sections:
        number = ends[boundary]
        first, last = sentences[number - 1] if number else 0, sentences[number + 1]
        at = bisect.bisect_left(places, first)
        hits += at < len(places) and places[at] <= last
    reference = _places(talk.sections, sentences)
    found = _places(cuts, sentences)
    window = max(1, round(len(sentences) / (len(talk.sections) + 1) / 2))
    right = sum(Counter(section_of[begin:end].tolist()).most_common(1)[0][1] for begin, end in chunks)
    return {
        "chunks": len(chunks),
        "words": len(talk.words) / len(chunks),
        "hit": hits / len(talk.sections),
        "exact": len(set(cuts) & set(talk.sections)) / len(talk.sections),
        "mixed": float(np.mean([section_of[begin] != section_of[end - 1] for begin, end in chunks])),
        "astray": 1 - right / len(talk.words),
        "broken": float(np.mean([end not in ends for end in cuts])) if cuts else 0.0,
        "pk": pk(reference, found, window),
        "windowdiff": windowdiff(reference, found, window),
    }


def _places(cuts: Cuts, sentences: Cuts) -> str:
    """Return for each end of a sentence but the last whether it is (the nearest to) a cut."""
    inner = sentences[:-1]
    nearest = set()
    for cut in cuts:
        at = bisect.bisect_left(inner, cut)
        nearest.add(min(inner[max(0, at - 1) : at + 1], key=lambda end: abs(end - cut)))
    return "".join("1" if end in nearest else "0" for end in inner)


def compared(method: Method, corpus: Sequence[Talk], rng: np.random.Generator) -> dict[str, Any]:
    """Return what a method is worth, what as many fixed chunks are, and by how much they differ."""
    cuts = [method(talk) for talk in corpus]
    own = [measured(each, talk) for each, talk in zip(cuts, corpus, strict=True)]
    plain = [measured(fixed(each, talk), talk) for each, talk in zip(cuts, corpus, strict=True)]
    drawn = rng.integers(0, len(corpus), (RESAMPLES, len(corpus)))
    between = {}
    for name in (*HIGHER, *LOWER):
        gap = np.array([one[name] - other[name] for one, other in zip(own, plain, strict=True)])
        between[name] = [
            round(float(each), 4) for each in np.quantile(gap[drawn].mean(axis=1), (0.025, 0.975))
        ]
    return {"own": _mean(own), "fixed": _mean(plain), "difference_95": between}


def _mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}


def show(corpus: str, size: int, results: dict[str, dict[str, Any]]) -> None:
    """Print a corpus as a table; * where the interval of the difference to fixed chunks is without 0."""
    names = ("chunks", "words", *HIGHER, *LOWER)
    print(f"\n{corpus}: {size} talks\n{'':24}" + "".join(f"{name:>11}" for name in names))
    for method, found in results.items():
        for which in ("own", "fixed"):
            cells = []
            for name in names:
                low, high = found["difference_95"].get(name, (0, 0)) if which == "own" else (0, 0)
                value = found[which][name]
                mark = "*" if low > 0 or high < 0 else " "
                cells.append(
                    f"{value:10.0f}{mark}" if name in ("chunks", "words") else f"{value:10.3f}{mark}"
                )
            print(f"{method if which == 'own' else '  as many fixed':24}" + "".join(cells))


def main() -> int:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="write the results to this file as JSON")
    parser.add_argument("--limit", type=int, help="at most so many talks of each show, spread over its years")
    parser.add_argument("--seed", type=int, default=1, help="of the bootstrap (1)")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    try:
        with Meter(os.getpid()) as meter:
            corpora = {name: talks(name, arguments.limit) for name in CORPORA}
            tokenizer = embedder().tokenizer
            splitter = Splitter(tokenizer, MAX_TOKENS)
            methods = {
                "ours": ours(splitter),
                "ours, half as long": ours(Splitter(tokenizer, MAX_TOKENS // 2)),
                "sentences packed": packed(splitter, turns=False),
                "turns packed": packed(splitter, turns=True),
                "turns packed, or 150": packed(splitter, turns=True, enough=MAX_TOKENS // 2),
            }
            results = {}
            for name, corpus in corpora.items():
                rng = np.random.default_rng(arguments.seed)
                results[name] = {each: compared(method, corpus, rng) for each, method in methods.items()}
                show(name, len(corpus), results[name])
        report = {
            "machine": describe(),
            "max_tokens": MAX_TOKENS,
            "talks": {name: len(corpus) for name, corpus in corpora.items()},
            "sections": {
                name: sum(len(each.sections) + 1 for each in corpus) for name, corpus in corpora.items()
            },
            "results": results,
            "wall_s": round(meter.wall_s),
            "elsewhere_cores": round(meter.elsewhere_cores, 2),
        }
        if arguments.out:
            arguments.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    except (BadInput, DataError, ModelUnavailable, OSError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
