"""Retries with smaller batches when a GPU runs out of memory, and finally on the CPU."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_SIGNS = ("out of memory", "alloc_failed", "cudnn_status_alloc", "failed to allocate")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of CTranslate2, PyTorch or CUDA means that the GPU is out of memory.

    Example:
        >>> is_out_of_memory(RuntimeError("CUDA failed with error out of memory"))
        True
        >>> is_out_of_memory(RuntimeError("CUDA driver version is insufficient for CUDA runtime version"))
        False
    """
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)


def retry_with_smaller_batch(batch: int, run: Callable[[int], T], give_up: Callable[[], T]) -> tuple[T, int]:
    """Run a function with a batch size that is halved each time the GPU is out of memory, then fall back.

    Args:
        batch: the batch size to begin with.
        run: does the work with a given batch size.
        give_up: does the work without the GPU; called once a batch size of 1 has failed.

    Returns:
        The result, and the batch size to begin with next time; 0 if `give_up` was needed.

    Raises:
        Exception: any other error of `run`, or any error of `give_up`.

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
