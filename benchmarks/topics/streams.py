"""Dated texts to measure the topic model with: labelled streams and transcripts of talks, embedded once.

A stream is JSONL (or .jsonl.gz) with a record a line: `id`, `published_at`, `text`, and where known `label`,
`labels`, `source`; or a talk as `groundswell ingest` reads it, with `segments`, `show`, `tags`. A record is
one video; a text of more tokens than a paragraph may have is split as the pipeline splits a transcript.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundled_models import prepare
from models.embedding.embedder import Embedder
from models.topics import Batch
from models.topics.online.person_names import full_names
from models.transcripts.splitting import Splitter
from models.transcripts.transcript import Segment, Transcript
from streams.errors import DataError

MAX_TOKENS = 300
"""Tokens in a paragraph at most, as the pipeline's default."""
CHUNK = 2048
"""Paragraphs embedded, and kept, at a time: what a stopped run has embedded, the next one finds."""
WORDS_PER_SECOND = 2.5
"""For talks whose source gives no times: only their order within a talk is meant then."""


@dataclass(frozen=True)
class Video:
    """One dated text, in paragraphs.

    Attributes:
        source: channel, show or feed it came from; its own id where the stream says none.
        labels: what people called its subject; empty where nobody did. `label` is the main one.
        starts: seconds into the talk at which each paragraph begins; an estimate where the source has none.
    """

    video_id: str
    published_at: datetime
    source: str
    title: str
    texts: tuple[str, ...]
    starts: tuple[float, ...]
    label: str | None = None
    labels: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()

    @property
    def month(self) -> str:
        """Month of publication, YYYY-MM (UTC)."""
        return self.published_at.astimezone(UTC).strftime("%Y-%m")


def data_folder() -> Path:
    """Return where the real data lie: $GROUNDSWELL_TEST_DATA, or beside the project."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("GROUNDSWELL_TEST_DATA") or beside)


def data_file(name: str) -> Path:
    """Return the path of one of the real data files.

    Raises:
        DataError: it is not there.
    """
    path = data_folder() / name
    if not path.exists():
        raise DataError(
            f"there is nothing to measure with: {name} is not in {data_folder()}",
            "name a file with --stream, or let GROUNDSWELL_TEST_DATA name the folder that has it",
        )
    return path


@contextlib.contextmanager
def lines(path: Path) -> Iterator[Iterable[str]]:
    """Lend the lines of a file, compressed or not.

    Raises:
        DataError: it cannot be read.
    """
    try:
        opens = gzip.open if path.suffix == ".gz" else open
        with opens(path, "rt", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error})", "name another file") from error


def read(path: Path, limit: int | None = None, only: Container[str] | None = None) -> list[Video]:
    """Return a file's videos by date, oldest first; at most `limit` of them, with `only` those of these ids.

    Records with `dup_of` (cross-posts) and records without text are left out.

    Raises:
        DataError: the file cannot be read, or a line is not a record of a stream.
    """
    with lines(path) as file:
        records = [each for each in _records(path.name, file) if only is None or each.video_id in only]
    records.sort(key=lambda video: (video.published_at, video.video_id))
    videos = list(_split(records[:limit]))
    if not videos and only is None:
        raise DataError(f"{path} has no records with text", "name another file")
    return videos


def read_all(
    paths: Iterable[Path], limit: int | None = None, only: Container[str] | None = None
) -> list[Video]:
    """Return the videos of several files together, by date; with `only`, those of these ids."""
    videos = [video for path in paths for video in read(path, only=only)]
    return sorted(videos, key=lambda video: (video.published_at, video.video_id))[:limit]


def embed(videos: Sequence[Video]) -> list[NDArray[np.float32]]:
    """Return each video's paragraphs as float32 [n, 384] of unit length, with the packaged MiniLM.

    Kept in the user's cache by content.
    """
    texts = [text for video in videos for text in video.texts]
    rows = np.vstack([_chunk(texts[at : at + CHUNK]) for at in range(0, len(texts), CHUNK)])
    ends = np.cumsum([len(video.texts) for video in videos])
    return np.split(rows, ends[:-1])


def batch(video: Video, vectors: NDArray[np.float32]) -> Batch:
    """Return a video as the topic model learns it."""
    return Batch(
        batch_id=video.video_id,
        video_id=video.video_id,
        published_on=video.published_at.astimezone(UTC).date(),
        paragraph_ids=tuple(f"{video.video_id}#{position}" for position in range(len(video.texts))),
        texts=video.texts,
        embeddings=vectors,
        source="" if video.source == video.video_id else video.source,
        starts=video.starts,
        people=tuple(sorted({*video.speakers, *full_names(video.title)})),
    )


def embed_texts(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return texts as float32 [n, 384] of unit length, without keeping them."""
    return embedder().embed(texts)


@cache
def embedder() -> Embedder:
    """The packaged embedding model."""
    return Embedder(prepare(cache_folder() / "models").embedding, "cpu", max_tokens=MAX_TOKENS)


def cache_folder() -> Path:
    """Return the user's cache folder for this project."""
    from platformdirs import user_cache_path

    return Path(user_cache_path("groundswell"))


def _chunk(texts: Sequence[str]) -> NDArray[np.float32]:
    name = hashlib.blake2b("\0".join(texts).encode(), digest_size=12).hexdigest()
    path = cache_folder() / "benchmarks" / embedder().version / f"{name}.npy"
    if path.exists():
        return np.load(path).astype(np.float32)
    print(f"embedding {len(texts)} paragraphs", file=sys.stderr, flush=True)
    rows = embed_texts(texts)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.tmp.npy")
    np.save(partial, rows)
    partial.replace(path)
    return rows


def _records(name: str, lines: Iterable[str]) -> Iterator[Any]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if record.get("dup_of") or not (record.get("text") or record.get("segments")):
                continue
            yield _video(record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"line {number} of {name} is not a record of a stream ({error!r})",
                "give id, published_at and text, one JSON object a line",
            ) from error


def _video(record: dict[str, Any]) -> Video:
    published = datetime.fromisoformat(record["published_at"])
    published = published if published.tzinfo else published.replace(tzinfo=UTC)
    labels = record.get("labels") or record.get("tags") or ([record["label"]] if record.get("label") else [])
    segments = record.get("segments")
    if segments:
        texts, starts = _turns(segments)
    else:
        texts, starts = (str(record["text"]).strip(),), (0.0,)
    return Video(
        video_id=str(record["id"]),
        published_at=published,
        source=str(record.get("show") or record.get("source") or record["id"]),
        title=str(record.get("title") or ""),
        texts=texts,
        starts=starts,
        label=record.get("label"),
        labels=tuple(labels),
        speakers=tuple(record.get("speakers") or ()),
    )


def _turns(segments: list[dict[str, Any]]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """A talk's segments with their speaker in front, and when they start."""
    texts, starts, second = [], [], 0.0
    for segment in segments:
        second = float(segment.get("start", segment.get("start_est", second)))
        texts.append(f"{segment.get('speaker') or ''}\0{segment['text']}")
        starts.append(second)
        second += len(segment["text"].split()) / WORDS_PER_SECOND
    return tuple(texts), tuple(starts)


def _split(videos: Sequence[Video]) -> Iterator[Video]:
    """Videos in paragraphs; how a file was split is kept, as that takes a tenth of a second a talk."""
    content = json.dumps([[video.video_id, video.texts] for video in videos])
    name = hashlib.blake2b(content.encode(), digest_size=12).hexdigest()
    path = cache_folder() / "benchmarks" / "paragraphs" / f"{name}-{MAX_TOKENS}.json.gz"
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8") as file:
            paragraphs = json.load(file)
    else:
        splitter = Splitter(embedder().tokenizer, MAX_TOKENS)
        paragraphs = [_paragraphs(splitter, video) for video in videos]
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.tmp")
        with gzip.open(partial, "wt", encoding="utf-8") as file:
            json.dump(paragraphs, file)
        partial.replace(path)
    for video, (texts, starts) in zip(videos, paragraphs, strict=True):
        if texts:
            yield replace(video, texts=tuple(texts), starts=tuple(starts))


def _paragraphs(splitter: Splitter, video: Video) -> tuple[list[str], list[float]]:
    if len(video.texts) == 1 and "\0" not in video.texts[0] and len(video.texts[0]) < 3 * MAX_TOKENS:
        return list(video.texts), list(video.starts)
    segments = []
    for text, start in zip(video.texts, video.starts, strict=True):
        speaker, _, said = text.rpartition("\0")
        if said.strip():
            end = start + len(said.split()) / WORDS_PER_SECOND
            segments.append(Segment(start=start, end=end, text=said, speaker=speaker or None, words=()))
    if not segments:
        return [], []
    paragraphs = splitter.split(
        Transcript.model_construct(segments=tuple(segments), duration_s=segments[-1].end)
    )
    return [paragraph.text for paragraph in paragraphs], [paragraph.start for paragraph in paragraphs]
