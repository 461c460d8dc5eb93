"""Recall of copies of talks: recognised before a download by metadata, and after it by transcript.

python benchmarks/duplicates.py [--known N] [--out FILE.json]

Real cross-posts of podcasts (near_duplicate_groups.json) among all talks that are here, with
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
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import Meter, describe
from benchmarks.screening import records
from benchmarks.topics import streams
from models.dedup.content_overlap import MOST, Repeats
from models.dedup.metadata_duplicates import Duplicates, Upload
from models.errors import BadInput
from streams.errors import DataError

GROUPS = "near_duplicate_groups.json"
WORDS_PER_SECOND = 2.8
"""Of talks without a published length."""


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


def main() -> int:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="write the results to this file as JSON")
    parser.add_argument(
        "--known", type=int, default=100_000, help="videos to remember for the timing (100000)"
    )
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    try:
        with Meter(os.getpid()) as meter:
            found: dict[str, Any] = {"real": real_groups()}
            talks = records()
            found |= {"constructed": copies(talks, 500), "large": large(talks, arguments.known)}
        print(json.dumps(found, indent=1, ensure_ascii=False))
        about = {
            "machine": describe(),
            "wall_s": round(meter.wall_s),
            "elsewhere_cores": round(meter.elsewhere_cores, 2),
        }
        if arguments.out:
            arguments.out.write_text(json.dumps(about | found, indent=1) + "\n", encoding="utf-8")
    except (BadInput, DataError, OSError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
