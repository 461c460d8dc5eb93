"""Gold paragraphs: what people read them to be about, and where their talks have them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.topics import streams
from benchmarks.topics.multilabel import Readings
from streams.errors import DataError

TWICE = "gold/llm_in_production_paragraphs.jsonl.gz"
ONCE = "gold/llm_in_production_more.jsonl.gz"
"""Files of paragraphs that were read twice, independently, and once."""


@dataclass(frozen=True)
class GoldParagraph:
    """A paragraph that people have read.

    Attributes:
        file: the file of talks that has its talk, without `.jsonl.gz`.
        every, some: numbers of topics, from 1, in every reading and in at least one.
        stratum: why it was chosen: keyword, near, likely or random.
    """

    file: str
    talk: str
    position: int
    year: str
    text: str
    every: tuple[int, ...]
    some: tuple[int, ...]
    stratum: str


def read_gold(path: Path) -> list[GoldParagraph]:
    """Return the paragraphs of a gold file.

    Raises:
        DataError: the file cannot be read, or a line is not such a paragraph.
    """
    found = []
    with streams.lines(path) as file:
        for number, line in enumerate(file, 1):
            try:
                record = json.loads(line)
                every = record["both"] if "both" in record else record["once"]
                found.append(
                    GoldParagraph(
                        file=record["file"],
                        talk=record["talk"],
                        position=record["position"],
                        year=record["published_at"][:4],
                        text=record["text"],
                        every=tuple(every),
                        some=tuple(record.get("either", every)),
                        stratum=record["stratum"].rstrip("0123456789"),
                    )
                )
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise DataError(
                    f"line {number} of {path.name} is not a gold paragraph ({error!r})",
                    "give file, talk, position, published_at, text, stratum, and both and either, or once",
                ) from error
    return found


def gold_files() -> list[Path]:
    """Return the files of gold paragraphs, those read twice first.

    Raises:
        DataError: one is missing.
    """
    return [streams.data_file(name) for name in (TWICE, ONCE)]


def talk_files(gold: Sequence[GoldParagraph]) -> list[Path]:
    """Return the files of the talks that have these paragraphs.

    Raises:
        DataError: one is missing.
    """
    return [streams.data_file(f"talks/{name}.jsonl.gz") for name in sorted({each.file for each in gold})]


def readings_of(gold: Sequence[GoldParagraph], topics: int) -> Readings:
    """Return the readings as masks over the topics 1 … `topics`.

    Raises:
        DataError: a reading has a topic that the codebook does not have.
    """
    every = np.zeros((len(gold), topics), np.bool_)
    some = np.zeros_like(every)
    for row, paragraph in enumerate(gold):
        if wrong := [topic for topic in paragraph.some if not 1 <= topic <= topics]:
            raise DataError(
                f"the gold has a topic {wrong[0]}, and the codebook has {topics} topics",
                "name the codebook that the paragraphs were read for with --codebook",
            )
        every[row, [topic - 1 for topic in paragraph.every]] = True
        some[row, [topic - 1 for topic in paragraph.some]] = True
    return Readings(every, some, tuple(paragraph.talk for paragraph in gold))


def located(
    gold: Sequence[GoldParagraph], videos: Sequence[streams.Video]
) -> tuple[list[GoldParagraph], dict[tuple[str, int], int]]:
    """Return the gold paragraphs that these talks have, and the row of each by talk and position.

    A paragraph is looked up by its text where the talk was split otherwise.
    """
    talks = {video.video_id: video.texts for video in videos}
    kept: list[GoldParagraph] = []
    rows: dict[tuple[str, int], int] = {}
    for paragraph in gold:
        texts = talks.get(paragraph.talk, ())
        position = paragraph.position
        if texts[position : position + 1] != (paragraph.text,):
            if paragraph.text not in texts:
                continue
            position = texts.index(paragraph.text)
        if (paragraph.talk, position) not in rows:  # two gold files may have one paragraph: the first counts
            rows[paragraph.talk, position] = len(kept)
            kept.append(paragraph)
    return kept, rows
