"""BERTrend as a baseline of onsets.py, where an environment of its own has it (Python 3.12 or newer).

    uv venv --python 3.12 bertrend
    uv pip install --python bertrend/bin/python bertrend==0.4.23
    python benchmarks/topics/onsets.py --bertrend bertrend/bin/python

Boutaleb, A., Picault, J., Grosjean, G. (2024): BERTrend: Neural Topic Modeling for Emerging Trends Detection.
It clusters each slice of the stream anew and merges the clusters with earlier ones.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.topics import bertrend_child
from benchmarks.topics.baselines import Alert
from models.topics.bursts.term_bursts import Spoken
from streams.errors import DataError

SLICE_DAYS = 91
SHOWN = 10
"""Words of an alert."""


def bertrend(python: str, days: int = SLICE_DAYS) -> Callable[[Sequence[Spoken]], list[Alert]]:
    """Return a detector: at the end of each slice, the topics that are a signal for the first time.

    Those of the first slice are left out, in which everything is new.

    Args:
        python: interpreter of an environment with BERTrend.
        days: length of a slice.
    """

    def detect(stream: Sequence[Spoken]) -> list[Alert]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            rows = [
                {
                    "timestamp": spoken.published_on.isoformat(),
                    "text": text,
                    "document_id": spoken.video_id,
                    "source": spoken.source,
                    "url": spoken.video_id,
                }
                for spoken in stream
                for text in spoken.texts
            ]
            (folder / "paragraphs.json").write_text(json.dumps(rows), encoding="utf-8")
            np.save(folder / "vectors.npy", np.vstack([spoken.vectors for spoken in stream]))
            try:
                child = [python, "-P", bertrend_child.__file__, name, str(days)]  # -P: not our modules
                subprocess.run(child, check=True, stderr=subprocess.DEVNULL)
            except (OSError, subprocess.CalledProcessError) as error:
                raise DataError(
                    f"BERTrend did not run with {python}: {error}",
                    "install it into an environment of its own, as bertrend_baseline.py says",
                ) from error
            found = json.loads((folder / "signals.json").read_text(encoding="utf-8"))
        return alerts(found, stream)

    return detect


def alerts(signals: Sequence[dict[str, object]], stream: Sequence[Spoken]) -> list[Alert]:
    """Return the first signal of each topic that was none in the first slice, in order."""
    ends = [str(signal["until"]) for signal in signals]
    told = {signal["topic"] for signal in signals if signal["until"] == min(ends)}
    days = [spoken.published_on for spoken in stream]
    found = []
    for signal in sorted(signals, key=lambda signal: str(signal["until"])):
        if signal["topic"] in told:
            continue
        told.add(signal["topic"])
        at = bisect_left(days, date.fromisoformat(str(signal["until"]))) - 1
        texts = set(signal["texts"])  # type: ignore[call-overload]
        videos = tuple(each.video_id for each in stream[: at + 1] if not texts.isdisjoint(each.texts))
        words = tuple(signal["words"])[:SHOWN]  # type: ignore[arg-type]
        found.append(Alert(at, ", ".join(words[:3]), words, videos, evidence=str(signal["kind"])))
    return found
