"""Voice activity detection: where a recording has speech, and how loud it is."""

from __future__ import annotations

import numpy as np

from models.audio.samples import SAMPLE_RATE, Audio

FRAME = 512
"""Samples per frame of the voice activity detector (Silero, bundled with faster-whisper): 32 ms."""
REACH_S = 0.2
"""Tolerance of word times in seconds."""
_SPEECH = 0.5
_FLOOR = 1e-12


class VoiceActivity:
    """Speech probability and loudness of one recording, both computed once by the constructor.

    Args:
        audio: float32 [n], mono, 16 kHz.
    """

    def __init__(self, audio: Audio) -> None:
        from faster_whisper.vad import get_vad_model

        whole = np.pad(audio, (0, -len(audio) % FRAME))
        self._voice = np.asarray(get_vad_model()(whole)).reshape(-1) if whole.size else np.zeros(0)
        frames = whole.reshape(-1, FRAME)
        self._power = np.einsum("ij,ij->i", frames, frames) / FRAME + _FLOOR
        spoken = self._power[self._voice >= _SPEECH]
        self._speech = float(np.mean(spoken if spoken.size else self._power)) if whole.size else _FLOOR

    def at(self, start: float, end: float) -> tuple[float, float]:
        """Return the highest speech probability within a span, in [0, 1], and its loudest frame's level.

        Args:
            start, end: seconds; the span is widened by `REACH_S` on either side.

        Returns:
            The probability, and the level in dB relative to the mean power of all speech in the recording.
        """
        first = max(0, int((start - REACH_S) * SAMPLE_RATE) // FRAME)
        last = max(first + 1, int((end + REACH_S) * SAMPLE_RATE) // FRAME + 1)
        voice, power = self._voice[first:last], self._power[first:last]
        if not voice.size:
            return 0.0, -120.0
        return float(voice.max()), float(10 * np.log10(power.max() / self._speech))
