"""Windows that are decoded at once: each once, the longest first, each batch in spoken order."""

from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.speech.length_buckets import batches

LENGTHS = st.lists(st.floats(0.1, 30.0), max_size=200)


@given(lengths=LENGTHS, size=st.integers(1, 32))
def test_every_window_is_decoded_once(lengths: list[float], size: int) -> None:
    found = batches(lengths, size)
    assert sorted(chain(*found)) == list(range(len(lengths)))
    assert all(len(batch) == size for batch in found[:-1])
    assert all(0 < len(batch) <= size for batch in found)


@given(lengths=LENGTHS, size=st.integers(1, 32))
def test_longer_windows_come_first_and_each_batch_in_order(lengths: list[float], size: int) -> None:
    found = batches(lengths, size)
    assert all(batch == sorted(batch) for batch in found)
    for longer, shorter in pairwise(found):
        assert min(lengths[at] for at in longer) >= max(lengths[at] for at in shorter)
