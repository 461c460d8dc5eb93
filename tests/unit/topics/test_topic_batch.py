"""A batch that cannot be learned cannot be constructed."""

from typing import Any

import numpy as np
import pytest
from made_up_talks import talk

from models.errors import BadInput
from models.topics import Batch

GOOD = talk(1, ["bread", "ships"])
FIELDS = ("batch_id", "video_id", "published_on", "paragraph_ids", "texts", "embeddings")


def batch(**changes: Any) -> Batch:
    return Batch(**{**{name: getattr(GOOD, name) for name in FIELDS}, **changes})


def embeddings(row: int, value: float) -> np.ndarray[Any, Any]:
    changed = GOOD.embeddings.copy()
    changed[row] = value
    return changed


def test_a_batch_that_fits_together_is_accepted() -> None:
    assert batch().paragraph_ids == GOOD.paragraph_ids


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"embeddings": embeddings(1, np.nan)}, "paragraph talk-1:1:1 is not finite"),
        ({"embeddings": embeddings(0, np.inf)}, "paragraph talk-1:1:0 is not finite"),
        ({"embeddings": embeddings(1, 0.0)}, "paragraph talk-1:1:1 is a zero vector"),
        ({"embeddings": GOOD.embeddings[0]}, r"shape \[32\], not \[n, d\]"),
        ({"embeddings": GOOD.embeddings[:1]}, "2 paragraph ids, 2 texts and 1 embeddings"),
        ({"texts": ("one", "two", "three")}, "2 paragraph ids, 3 texts and 2 embeddings"),
        ({"paragraph_ids": ("same", "same")}, "a paragraph id comes twice"),
        (
            {"paragraph_ids": (), "texts": (), "embeddings": np.zeros((0, 32), np.float32)},
            "there are no paragraphs",
        ),
        ({"starts": (0.0,)}, "1 starts for 2 paragraphs"),
        ({"about": ((1,),)}, "1 judgements for 2 paragraphs"),
        ({"video_id": ""}, "needs a batch_id and a video_id"),
    ],
)
def test_what_cannot_be_learned_is_refused_with_its_cause(changes: dict[str, Any], cause: str) -> None:
    with pytest.raises(BadInput, match=cause):
        batch(**changes)
