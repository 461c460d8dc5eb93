"""A page of the topics found in transcripts, to be read by a human eye.

    python benchmarks/topics/transcripts.py [--stream FILE …] [--codebook NAME] [--out FILE.json]
                                            [--page FILE.html]

Plays talks in order of publication (default: Practical AI, 225 episodes) through the topic model, as the
pipeline does, and writes every topic with its words, its months and its most probable paragraphs; what
emerged, with the evidence; and what was left out as boilerplate.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import describe  # noqa: E402
from benchmarks.topics import concept_judge, streams  # noqa: E402
from models.codebook.codebook import load  # noqa: E402
from models.concepts.evidence import Talk  # noqa: E402
from models.concepts.judge import ConceptJudge  # noqa: E402
from models.topics import Emergence, TopicModel, TopicSettings  # noqa: E402

QUOTES = 3
WORDS_SHOWN = 50
"""Words of a quote."""


@dataclass
class Found:
    """Paragraphs of one topic over all talks."""

    videos: set[str] = field(default_factory=set)
    months: Counter[str] = field(default_factory=Counter)
    quotes: list[tuple[float, str, str, str]] = field(default_factory=list)
    paragraphs: int = 0


@dataclass(frozen=True)
class Study:
    """A stream, learned."""

    model: TopicModel
    found: dict[int | None, Found]
    emergences: list[Emergence]
    boilerplate: list[tuple[str, str]]
    videos: int
    paragraphs: int


def play(videos: Sequence[streams.Video], codebook_name: str) -> Study:
    """Learn every video; keep what each topic was given."""
    codebook = load(codebook_name)
    seeds = streams.embed_texts([*(topic.seed for topic in codebook.topics), "any"])[: len(codebook.topics)]
    model = TopicModel.seeded(codebook, seeds, TopicSettings(), streams.embedder().space)
    judge = ConceptJudge(codebook, concept_judge.prototypes(codebook), streams.embedder().model)
    found: dict[int | None, Found] = defaultdict(Found)
    emergences: list[Emergence] = []
    boilerplate: list[tuple[str, str]] = []
    for video, vectors in zip(videos, streams.embed(videos), strict=True):
        about = judge.judge(Talk(video.title, video.texts), vectors)
        batch = replace(
            streams.batch(video, vectors), about=tuple(tuple(each.topic_id for each in of) for of in about)
        )
        outcome = model.learn(batch)
        emergences += outcome.emergences
        months = set()
        for assignment, text in zip(outcome.assignments, video.texts, strict=True):
            if assignment.boilerplate:
                boilerplate.append((video.title, text))
                continue
            topic = found[assignment.topic_id]
            topic.paragraphs += 1
            topic.videos.add(video.video_id)
            months.add(assignment.topic_id)
            topic.quotes.append((assignment.probability, text, video.title, video.month))
        for topic_id in months:
            found[topic_id].months[video.month] += 1
    return Study(
        model, found, emergences, boilerplate, len(videos), sum(len(video.texts) for video in videos)
    )


def report(study: Study) -> dict[str, Any]:
    """Return everything as JSON."""
    topics = []
    for topic in study.model.topics():
        said = study.found.get(topic.topic_id, Found())
        best = sorted(said.quotes, key=lambda quote: -quote[0])[:QUOTES]
        topics.append(
            {
                "topic_id": topic.topic_id,
                "label": topic.label,
                "origin": topic.origin,
                "words": [word for word, _ in topic.words],
                "videos": len(said.videos),
                "paragraphs": said.paragraphs,
                "first": min(said.months, default=None),
                "last": max(said.months, default=None),
                "quotes": [
                    {"probability": round(probability, 3), "text": _short(text), "talk": talk, "month": month}
                    for probability, text, talk, month in best
                ],
            }
        )
    return {
        "machine": describe(),
        "videos": study.videos,
        "paragraphs": study.paragraphs,
        "without_topic": study.found[None].paragraphs,
        "boilerplate": len(study.boilerplate),
        "topics": sorted(topics, key=lambda topic: -int(topic["videos"])),
        "emergences": [asdict(emergence) for emergence in study.emergences],
        "boilerplate_examples": [
            {"talk": talk, "text": _short(text)}
            for talk, text in study.boilerplate[:: max(1, len(study.boilerplate) // 40)]
        ],
    }


def page(found: dict[str, Any]) -> str:
    """Return the report as one HTML page."""
    from jinja2 import Environment

    return (
        Environment(autoescape=True)
        .from_string((Path(__file__).with_suffix(".html")).read_text())
        .render(**found)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, report; return the exit code."""
    options = _options(arguments)
    from agents.cli.console import exit_code_of

    try:
        paths = options.stream or [streams.data_file("talks/changelog_practicalai.jsonl.gz")]
        study = play(streams.read_all(paths, options.limit), options.codebook)
    except Exception as error:
        return exit_code_of(error)
    found = report(study)
    text = json.dumps(found, ensure_ascii=False, indent=1, default=str)
    if options.out:
        options.out.write_text(text)
    if options.page:
        options.page.write_text(page(found))
    print(
        f"{found['videos']} talks, {found['paragraphs']} paragraphs, {found['without_topic']} without a topic"
    )
    print(f"{found['boilerplate']} paragraphs are boilerplate; {len(found['topics'])} topics")
    for topic in found["topics"]:
        words = " ".join(topic["words"][:8])
        print(f"{topic['videos']:5} {topic['topic_id']:4} {topic['origin']:6} {topic['label']:42} {words}")
    for emergence in study.emergences:
        print(f"{emergence.latest_on} {emergence.subject} ({emergence.channel}): {emergence.reason}")
    return 0


def _short(text: str) -> str:
    words = text.split()
    return " ".join(words[:WORDS_SHOWN]) + (" …" if len(words) > WORDS_SHOWN else "")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--stream", type=Path, nargs="+", metavar="FILE", help="talks or records, .jsonl or .jsonl.gz"
    )
    parser.add_argument("--codebook", default="blank", help="topics to begin with (default: blank, none)")
    parser.add_argument("--limit", type=int, help="at most so many talks")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="everything as JSON")
    parser.add_argument("--page", type=Path, metavar="FILE.html", help="a page to read")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
