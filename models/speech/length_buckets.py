"""Groups windows of a recording by length for batched decoding."""

from collections.abc import Sequence


def batches(lengths: Sequence[float], size: int) -> list[list[int]]:
    """Divide windows among batches, the longest windows first.

    A batch takes as many steps of the decoder as its longest window has tokens, and on a GPU a step of many
    windows takes little longer than one of few: so windows of a length go together, and what is left over
    for the last batch is short. Memory is short at once, or never. `benchmarks/batches.py` counts the steps.

    Args:
        lengths: seconds of each window.
        size: windows in a batch.

    Returns:
        The windows of each batch, by number, in their order.

    Example:
        >>> batches([30, 12, 29, 13, 28], size=3)
        [[0, 2, 4], [1, 3]]
    """
    longest_first = sorted(range(len(lengths)), key=lambda window: -lengths[window])
    return [sorted(longest_first[at : at + size]) for at in range(0, len(lengths), size)]
