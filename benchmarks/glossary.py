"""False corrections of a glossary in texts that people wrote: most changes there are wrong.

    python benchmarks/glossary.py --glossary llm-in-production --out FILE.json

People's transcripts are corrected as if they were a recogniser's. Where only capitals, spaces or hyphens
differ ("Langchain", "open AI"), a person wrote the same name otherwise, and the change is harmless; where the
letters differ, other words were meant, or the person misheard: these are told one by one, with what stands
around them, to be judged by reading. What a recogniser would get wrong is not known here: this measures harm,
not use.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.errors import BadInput
from models.transcripts.glossary import Glossary, load
from models.transcripts.transcript import Correction, Segment, Transcript

DATA = Path(os.environ.get("GROUNDSWELL_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
SOURCES = (
    "changelog_practicalai",
    "changelog_friends",
    "changelog_jsparty",
    "changelog_podcast",
    "changelog_shipit",
)
AROUND = 60
"""Letters before and after a change that are told with it."""


def changed(glossary: Glossary, talk: dict[str, Any]) -> Iterator[tuple[Correction, str]]:
    """Yield each change in a talk, with what stands around it."""
    segments = tuple(
        Segment(start=number, end=number, text=segment["text"], speaker=segment.get("speaker") or None)
        for number, segment in enumerate(talk["segments"])
    )
    raw = Transcript(language="en", language_probability=None, duration_s=0, segments=segments, made_by={})
    for correction in glossary.correct(raw).corrections:
        text = segments[int(correction.start)].text
        at = text.find(correction.heard)
        yield correction, text[max(0, at - AROUND) : at + len(correction.heard) + AROUND]


def same_letters(correction: Correction) -> bool:
    """Return whether only capitals, spaces and punctuation differ.

    Example:
        >>> same_letters(Correction(start=0, heard="Lang-chain,", written="LangChain,", entry="LangChain"))
        True
    """
    bare = [re.sub(r"[\W_]", "", text).casefold() for text in (correction.heard, correction.written)]
    return bare[0] == bare[1]


def measure(glossary: Glossary, folder: Path, sources: Sequence[str], limit: int) -> dict[str, Any]:
    """Return counts over people's transcripts, and every change whose letters differ."""
    talks = words = 0
    harmless, other = Counter[str](), Counter[str]()
    told: dict[str, list[str]] = {}
    for source in sources:
        with gzip.open(folder / "talks" / f"{source}.jsonl.gz", "rt", encoding="utf-8") as file:
            for number, line in enumerate(file):
                if limit and number >= limit:
                    break
                talk = json.loads(line)
                talks += 1
                words += talk["words"]
                for correction, around in changed(glossary, talk):
                    form = f"{correction.entry} < {correction.heard.strip('.,;:!?').casefold()}"
                    (harmless if same_letters(correction) else other)[form] += 1
                    if not same_letters(correction):
                        told.setdefault(form, []).append(around)
    return {
        "glossary": glossary.version,
        "talks": talks,
        "words": words,
        "same_letters": harmless.total(),
        "other_letters": other.total(),
        "other_letters_per_million_words": round(1e6 * other.total() / max(1, words), 2),
        "same_letters_by_form": dict(harmless.most_common()),
        "other_letters_by_form": dict(other.most_common()),
        "to_read": {form: examples[:10] for form, examples in sorted(told.items())},
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--glossary", default="llm-in-production", help="a packaged one's name, or a file")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with talks/*.jsonl.gz")
    parser.add_argument("--sources", nargs="+", default=SOURCES, help="files of that folder")
    parser.add_argument("--limit", type=int, default=0, help="talks of each source; 0: all")
    parser.add_argument("--out", type=Path, help="write all of it here, as JSON")
    given = parser.parse_args()
    try:
        found = measure(load(given.glossary), given.data, given.sources, given.limit)
    except (BadInput, OSError) as error:
        sys.exit(str(error))
    if given.out:
        given.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(
        json.dumps(found if not given.out else {k: v for k, v in found.items() if k != "to_read"}, indent=1)
    )


if __name__ == "__main__":
    main()
