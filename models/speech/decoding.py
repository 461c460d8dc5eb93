"""Decoding of a recording with faster-whisper, before hallucinations are filtered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.audio.samples import Audio
from models.audio.voice_activity import VoiceActivity
from models.speech.hallucinations import (
    REPETITIVE,
    SILENT,
    UNSURE,
    Utterance,
    bare,
    compression,
    cut_at_sentences,
    find_loops,
    sureness_of,
)
from models.transcripts.transcript import Word

BATCH = 24
"""Windows of up to 30 s that a GPU decodes at once: most stretches of ten minutes are one batch."""
_LANGUAGE_WINDOWS = 4
"""Maximum of 30 s windows for language detection, which stops once a language is more likely than not."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The text of a window of up to 30 s, or of a part of it between two time stamps.

    Attributes:
        text: the whole text.
        start, end: seconds.
        words: with times; empty if the model gave none.
        log_probability: mean per token of the window.
        no_speech: probability that the window has no speech.
        compression: factor by which gzip shrinks the window's text.
        guarded: Whisper's own safeguards were applied to the window.
    """

    text: str
    start: float
    end: float
    words: tuple[Word, ...]
    log_probability: float
    no_speech: float
    compression: float
    guarded: bool

    @property
    def failed(self) -> bool:
        """Whether Whisper's safeguards should have decoded the window again but were not applied.

        They would decode every repetitive text again, and lose words that were really repeated, as in a
        jingle.
        """
        if self.guarded or (self.log_probability >= UNSURE and self.compression <= REPETITIVE):
            return False
        sentences = dict.fromkeys(
            "".join(word.text for word in each) for each in cut_at_sentences(self.words)
        )
        once = "".join(sentences) or self.text
        return (
            self.log_probability < UNSURE
            or compression(once) > REPETITIVE
            or bool(find_loops([bare(word.text) for word in self.words]))
        )

    def utterances(self, activity: VoiceActivity, number: int) -> Iterator[Utterance]:
        """Yield its sentences with their acoustic evidence; `number` identifies the passage."""
        around = sureness_of(self.words, self.log_probability)
        for words in cut_at_sentences(self.words) if self.words else [()]:
            start = min((word.start for word in words), default=self.start)
            end = max((word.end for word in words), default=self.end)
            surest, level_db = activity.at(start, end)
            text = "".join(word.text for word in words) if words else self.text
            yield Utterance(
                text=text,
                start=start,
                end=end,
                words=words,
                log_probability=self.log_probability,
                no_speech=self.no_speech,
                voice=surest,
                level_db=level_db,
                passage=number,
                around=around,
            )


def in_order(
    whisper: Any, audio: Audio, language: str | None, hotwords: str | None = None, offset_s: float = 0.0
) -> tuple[list[Passage], Any]:
    """Decode window by window, with Whisper's safeguards: failures are sampled at higher temperatures.

    A window that Whisper takes for silence has no text. Returns the passages, and faster-whisper's info.
    """
    found, info = whisper.transcribe(
        audio,
        language=language,
        hotwords=hotwords,
        vad_filter=True,
        word_timestamps=True,
        condition_on_previous_text=False,  # otherwise one loop causes the next
        compression_ratio_threshold=REPETITIVE,
        log_prob_threshold=UNSURE,
        no_speech_threshold=SILENT,
        language_detection_segments=_LANGUAGE_WINDOWS,
    )
    return [_passage(each, offset_s, guarded=True) for each in found], info


def together(
    whisper: Any, audio: Audio, language: str | None, hotwords: str | None = None, batch: int = BATCH
) -> tuple[list[Passage], Any]:
    """Decode `batch` windows at once, without safeguards; otherwise as `in_order`."""
    from models.speech.batched_decoder import LongestFirst

    found, info = LongestFirst(whisper).transcribe(
        audio,
        language=language,
        hotwords=hotwords,
        word_timestamps=True,
        batch_size=batch,
        language_detection_segments=_LANGUAGE_WINDOWS,
    )
    return [_passage(each, 0.0, guarded=False) for each in found if each.text.strip()], info


def _passage(decoded: Any, offset_s: float, *, guarded: bool) -> Passage:
    words = tuple(
        Word(
            start=round(word.start + offset_s, 3),
            end=round(max(word.start, word.end) + offset_s, 3),
            text=word.word,
            probability=min(1.0, float(word.probability)),
        )
        for word in decoded.words or ()
    )
    return Passage(
        text=decoded.text.strip(),
        start=round(decoded.start + offset_s, 3),
        end=round(max(decoded.start, decoded.end) + offset_s, 3),
        words=words,
        log_probability=float(decoded.avg_logprob),
        no_speech=float(decoded.no_speech_prob),
        compression=float(decoded.compression_ratio),
        guarded=guarded,
    )
