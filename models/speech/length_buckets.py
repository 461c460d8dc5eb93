"""Batches of similar window length for batched decoding."""

from collections.abc import Sequence


def batches(lengths: Sequence[float], size: int) -> list[list[int]]:
    """Divide windows among batches, the longest windows first.

    A batch takes as many decoder steps as its longest window has tokens, and on a GPU a step of many windows
    takes little longer than one of few: so windows of similar length go together, and the incomplete last
    batch has the shortest ones. If memory runs out, it does so in the first batch. `benchmarks/batches.py`
    counts the steps.

    Args:
        lengths: length of each window in seconds.
        size: windows per batch.

    Returns:
        The numbers of the windows of each batch, ascending.

    Example:
        >>> batches([30, 12, 29, 13, 28], size=3)
        [[0, 2, 4], [1, 3]]
    """
    longest_first = sorted(range(len(lengths)), key=lambda window: -lengths[window])
    return [sorted(longest_first[at : at + size]) for at in range(0, len(lengths), size)]
