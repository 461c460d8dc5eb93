"""malloc.give_back returns freed memory to the system, even between blocks that are still in use."""

import ctypes
from pathlib import Path

import pytest

from models.loading import malloc

BLOCKS, SIZE = 4_000, 50_000
EVERY = 10
MB = 1_000_000
STATUS = Path("/proc/self/status")


def held() -> int:
    """Return this process's anonymous resident memory in bytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


@pytest.fixture
def glibc() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        pytest.skip("only glibc keeps what was freed")
    library.malloc.restype = ctypes.c_void_p
    library.free.argtypes = [ctypes.c_void_p]
    return library


@pytest.mark.skipif(not STATUS.exists(), reason="what a process holds is told by Linux")
def test_what_lies_between_what_is_in_use_is_given_back(glibc: ctypes.CDLL) -> None:
    blocks = [glibc.malloc(SIZE) for _ in range(BLOCKS)]
    for block in blocks:
        ctypes.memset(block, 1, SIZE)
    for number, block in enumerate(blocks):
        if number % EVERY:
            glibc.free(block)
    before = held()
    malloc.give_back()
    after = held()
    for block in blocks[::EVERY]:
        assert ctypes.string_at(block, SIZE) == b"\1" * SIZE
        glibc.free(block)
    assert before - after > 100 * MB, "a fifth of a gigabyte was in use, a tenth of it still is"
