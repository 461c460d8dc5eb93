"""Splitting of transcripts into paragraphs with semantic-text-splitter and a real tokenizer."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.errors import BadInput
from models.transcripts.paragraphs import Paragraph
from models.transcripts.transcript import Segment, Transcript

SPECIAL_TOKENS = 2
"""[CLS] and [SEP], which the embedding model adds and the limit includes."""


class Splitter:
    """Splits at the best place (change of speaker, sentence, word) below `max_tokens`."""

    def __init__(self, tokenizer: Path, max_tokens: int) -> None:
        """Load `tokenizer` (a tokenizer.json); `max_tokens` includes the model's special tokens."""
        from semantic_text_splitter import TextSplitter
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._splitter = TextSplitter.from_callback(self._count, max_tokens)
        self.max_tokens = max_tokens

    def _count(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids) + SPECIAL_TOKENS

    def split(self, transcript: Transcript) -> tuple[Paragraph, ...]:
        """Return the talk's paragraphs in order.

        Times are those of the first and last word of a paragraph if the transcript has words, else
        interpolated by characters within its segment, in seconds.

        Raises:
            BadInput: the transcript has no words.
        """
        segments = [segment for segment in transcript.segments if segment.text.strip()]
        if not segments:
            raise BadInput(
                f"the transcript has no words in {transcript.duration_s:.0f} s",
                "check the recording: music or silence cannot be split",
            )
        text, places = _lay_out(segments)
        return tuple(self._paragraphs(text, places, segments))

    def _paragraphs(self, text: str, places: list[int], segments: Sequence[Segment]) -> Iterator[Paragraph]:
        for position, (offset, chunk) in enumerate(self._splitter.chunk_indices(text)):
            end = offset + len(chunk)
            first = bisect.bisect_right(places, offset) - 1
            last = bisect.bisect_left(places, end) - 1
            speakers = dict.fromkeys(
                segment.speaker for segment in segments[first : last + 1] if segment.speaker is not None
            )
            yield Paragraph(
                position=position,
                start=round(_second(segments[first], offset - places[first]), 3),
                end=round(_second(segments[last], end - places[last], ending=True), 3),
                text=" ".join(chunk.split()),
                speakers=tuple(speakers),
                tokens=self._count(chunk),
            )


def _lay_out(segments: Sequence[Segment]) -> tuple[str, list[int]]:
    """Join segments; a change of speaker is a line break, where the splitter prefers to split."""
    text, places = "", []
    for index, segment in enumerate(segments):
        if index:
            text += " " if segment.speaker == segments[index - 1].speaker else "\n"
        places.append(len(text))
        text += segment.text.strip()
    return text, places


def _second(segment: Segment, characters: int, *, ending: bool = False) -> float:
    """Return the time at which the first `characters` of a segment have been said."""
    length = max(1, len(segment.text.strip()))
    share = min(1.0, max(0.0, characters / length))
    if segment.words:
        spoken = share * sum(len(word.text) for word in segment.words)
        for word in segment.words:
            if spoken < len(word.text) or (ending and spoken <= len(word.text)):
                return word.end if ending else word.start
            spoken -= len(word.text)
        return segment.end
    return segment.start + share * (segment.end - segment.start)
