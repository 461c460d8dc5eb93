"""Stretches of a long recording, transcribed one by one for progress and to resume after a kill."""

from itertools import pairwise

import numpy as np

from models.audio.samples import SAMPLE_RATE, Audio

STRETCH_S = 600.0
"""Approximate length of a stretch in seconds: the most work that a killed worker loses."""
REACH_S = 30.0
"""Farthest shift of a cut to a pause, in seconds."""
PAUSE_S = 0.5
"""Length of the quietest span within reach, in seconds; the cut is in its middle."""
_HOP_S = 0.1


def stretches(audio: Audio, length_s: float = STRETCH_S) -> list[tuple[int, int]]:
    """Divide a recording at quiet places; one shorter than one and a half lengths stays whole.

    Args:
        audio: float32 [n], mono, 16 kHz.
        length_s: approximate length of a stretch, in seconds.

    Returns:
        Begin and end (exclusive) of each stretch in samples, in order, without gaps or overlaps.
        Deterministic: the same recording is always divided the same way.

    Example:
        >>> stretches(np.zeros(16_000 * 60, dtype=np.float32), length_s=600)
        [(0, 960000)]
    """
    count = max(1, round(len(audio) / (length_s * SAMPLE_RATE)))
    places = [round(len(audio) * number / count) for number in range(1, count)]
    cuts = [0, *(_quietest(audio, place) for place in places), len(audio)]
    return list(pairwise(cuts))


def _quietest(audio: Audio, place: int) -> int:
    """Return the middle of the quietest pause around a place; the first one if several are equal."""
    hop, hops = int(_HOP_S * SAMPLE_RATE), round(PAUSE_S / _HOP_S)
    begin = max(0, place - int(REACH_S * SAMPLE_RATE))
    around = np.asarray(audio[begin : place + int(REACH_S * SAMPLE_RATE)], dtype=np.float64)
    power = np.square(around[: len(around) // hop * hop].reshape(-1, hop)).sum(axis=1)
    loudness = np.convolve(power, np.ones(hops), mode="valid")
    return begin + (int(loudness.argmin()) * hop) + hops * hop // 2
