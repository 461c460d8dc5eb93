"""Retries with smaller batches when a GPU runs out of memory, in the end on the CPU."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_SIGNS = ("out of memory", "alloc_failed", "cudnn_status_alloc", "failed to allocate")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of CTranslate2, PyTorch or CUDA says that the GPU's memory is full.

    Example:
        >>> is_out_of_memory(RuntimeError("CUDA failed with error out of memory"))
        True
        >>> is_out_of_memory(RuntimeError("CUDA driver version is insufficient for CUDA runtime version"))
        False
    """
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)


def retry_with_smaller_batch(batch: int, run: Callable[[int], T], give_up: Callable[[], T]) -> tuple[T, int]:
    """Run something with a batch size; with half of it as often as memory is short, and then otherwise.

    Args:
        batch: how many at a time, at first.
        run: does it with so many at a time.
        give_up: does it where memory is not short; asked once one at a time was too many.

    Returns:
        The result, and the batch size to begin with next time; 0: none, it was given up.

    Raises:
        Exception: what `run` raises for another reason, or `give_up` for any.

    Example:
        >>> def run(batch: int) -> str:
        ...     if batch > 3:
        ...         raise RuntimeError("CUDA out of memory")
        ...     return f"{batch} at a time"
        >>> retry_with_smaller_batch(16, run, lambda: "on the CPU")
        ('2 at a time', 2)
    """
    while batch:
        try:
            return run(batch), batch
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        batch //= 2
    return give_up(), 0
