"""Tests of the chart pages for a study that can be counted by hand, with one topic that is not retained."""

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_process import client_of

from models.stats.seriation import optimal_leaf_order
from streams.store.warehouse import Warehouse


async def get(warehouse: Warehouse, path: str, status: int = 200) -> str:
    async with client_of(warehouse) as client:
        answer = await client.get(path)
    assert answer.status_code == status, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))


async def test_a_topic_that_is_not_retained_says_why_it_has_no_numbers(small: Warehouse) -> None:
    for path in ("/compare?topic_id=4", "/cooccurrence/videos?topic_id=4"):
        text = await get(small, path, 422)
        assert "(4) does not count, because it was excluded (greetings)" in text


async def test_quarters_by_hand(small: Warehouse) -> None:
    text = await get(small, "/trends?by=quarter")
    assert "2025-Q1 3/4: 75.0 %" in text, "Architecture: a, d and f of a, b, d and f"
    assert "2/4: 50.0 %" in text, "Evaluation: b and d"


async def test_composition_by_hand(small: Warehouse) -> None:
    text = await get(small, "/composition")
    assert "5 (71.4 %)" in text, "Architecture: RAG twice and Agents in a, Agents in d, RAG in f; of seven"
    assert "2 (28.6 %)" in text


async def test_pairs_by_hand(small: Warehouse) -> None:
    text = await get(small, "/cooccurrence")
    assert "RAG and Agents 1 0.333 1.00" in text
    assert "Agents and Evaluation 1 0.333 1.00" in text
    assert "RAG and Evaluation" not in text
    compared = await get(small, "/compare?topic_id=1&topic_id=3")
    assert "RAG and Evaluation 0 0.000 0.00" in compared
    assert "No talk discusses both" in await get(small, "/cooccurrence/videos?topic_id=1&other_id=3")


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_have_no_order_to_choose(count: int) -> None:
    assert optimal_leaf_order(np.zeros((count, count))) == list(range(count))


@given(st.integers(3, 12), st.randoms(use_true_random=False))
def test_an_order_has_each_once_and_blocks_stay_together(count: int, chance: object) -> None:
    blocks = [index % 2 for index in range(count)]
    chance.shuffle(blocks)  # type: ignore[attr-defined]
    distances = np.array([[0.1 if one == other else 0.9 for other in blocks] for one in blocks])
    np.fill_diagonal(distances, 0.0)
    order = optimal_leaf_order(distances)
    assert sorted(order) == list(range(count))
    assert sum(blocks[one] != blocks[other] for one, other in pairwise(order)) == 1
