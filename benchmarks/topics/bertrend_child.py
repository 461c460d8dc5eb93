"""BERTrend as its README uses it, for the Python of an environment that has it; see bertrend_baseline.py.

    python benchmarks/topics/bertrend_child.py FOLDER DAYS

FOLDER has paragraphs.json (a row a paragraph, in order of publication) and vectors.npy; its signals are
written to signals.json there: of each slice of so many days, the topics that BERTrend calls weak or strong.
Defaults are BERTrend's, except for the language and that words are c-TF-IDF's: to choose among them by
MaximalMarginalRelevance it would need a model from the hub.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def signals(rows: list[dict[str, Any]], vectors: Any, days: int) -> list[dict[str, Any]]:
    """Return a row for each topic and slice in which it is a signal; `until` is the slice's end."""
    import pandas as pd
    from bertrend.BERTopicModel import BERTopicModel
    from bertrend.BERTrend import BERTrend

    trend = BERTrend(
        topic_model=BERTopicModel(
            {"global": {"language": "English"}, "bertopic_model": {"representation_model": []}}
        )
    )
    trend.config["granularity"] = days
    frame = pd.DataFrame(rows)
    frame["timestamp"] = pd.to_datetime(frame["timestamp"])
    slices = dict(list(frame.groupby(pd.Grouper(key="timestamp", freq=f"{days}D"))))
    trend.train_topic_models(slices, "", vectors, save_topic_models=False)
    trend.calculate_signal_popularity()
    found = []
    for begun in trend.get_periods():
        _, weak, strong = trend.classify_signals(window_size=days, current_date=begun)
        until = (begun + pd.Timedelta(days=days)).date().isoformat()
        found += [
            {
                "topic": int(row["Topic"]),
                "kind": kind,
                "until": until,
                "words": row["Representation"].split("_"),
                "texts": list(row["Documents"]),
            }
            for kind, table in (("weak", weak), ("strong", strong))
            for row in table.to_dict("records")
        ]
    return found


def main() -> None:
    """Write the signals of a folder's paragraphs."""
    folder, days = Path(sys.argv[1]), int(sys.argv[2])
    rows = json.loads((folder / "paragraphs.json").read_text(encoding="utf-8"))
    found = signals(rows, np.load(folder / "vectors.npy"), days)
    (folder / "signals.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
