"""Sample talks, split and embedded with the real models, as `split` hands them to the topic model."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from models.embedding.embedder import Embedder
from models.transcripts.captions import parse
from models.transcripts.paragraphs import Paragraphs
from models.transcripts.splitting import Splitter
from models.transcripts.transcript import Transcript
from streams.events import ParagraphsEmbedded, Video
from streams.state.blobs import Blobs
from tests.processes import TALKS


def split_talks(embedder: Embedder, count: int) -> list[tuple[str, Paragraphs]]:
    """Return the first sample talks, by id."""
    splitter, made = Splitter(embedder.tokenizer, 300), []
    for path in sorted(TALKS.glob("*.json"))[:count]:
        captions = parse(path.read_bytes(), path.name)
        transcript = Transcript(
            language="en",
            language_probability=None,
            duration_s=captions.duration_s,
            segments=captions.segments,
            made_by={},
        )
        paragraphs = splitter.split(transcript)
        embeddings = embedder.embed([paragraph.text for paragraph in paragraphs])
        made.append(
            (
                json.loads(path.read_text())["id"],
                Paragraphs(paragraphs=paragraphs, embeddings=embeddings, embedding_model=embedder.version),
            )
        )
    return made


def embedded(blobs: Blobs, talks: Sequence[tuple[str, Paragraphs]]) -> list[ParagraphsEmbedded]:
    """Store the paragraphs of talks, and return their events, published 20 days apart."""
    return [
        ParagraphsEmbedded(
            video=Video(
                video_id=video_id,
                published_at=datetime(2024, 1, 5, tzinfo=UTC) + timedelta(days=20 * number),
            ),
            paragraphs=blobs.put(f"paragraphs/{number}", paragraphs.dump()),
            transcript_version="t",
            embedding_model=paragraphs.embedding_model,
            count=len(paragraphs.paragraphs),
        )
        for number, (video_id, paragraphs) in enumerate(talks)
    ]
