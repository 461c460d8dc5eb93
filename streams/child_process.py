"""Work on what others made, in a process of its own that has an end: whatever it is, nothing else stops."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

from streams.errors import DataError, Explained

P = ParamSpec("P")
T = TypeVar("T")


class TooMuchError(DataError):
    """It took more time or memory than anything of its kind needs."""


def apart(
    seconds: float, megabytes: int, what: str, work: Callable[P, T], *given: P.args, **named: P.kwargs
) -> T:
    """Return what `work` returns, done in a new process that is killed when it takes too much.

    Args:
        seconds: longest time, the start of the process included.
        megabytes: most memory (address space; on macOS there is no such limit).
        what: what is worked on, as errors call it.
        work: a function of a module, as are its arguments something that pickle knows.
        given: its arguments.
        named: likewise.

    Raises:
        TooMuchError: it took too long or too much memory, or crashed the process.
        Explained: what `work` raised.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(
        target=_work, args=(there, (seconds, megabytes), partial(work, *given, **named)), daemon=True
    )
    try:
        child.start()
        there.close()
        if not here.poll(seconds):
            raise TooMuchError(f"{what} takes more than {seconds:.0f} s to read", _cure(what))
        result, error = here.recv()
    except EOFError as died:
        raise TooMuchError(
            f"{what} takes more than {megabytes} MB of memory to read, or crashes what reads it", _cure(what)
        ) from died
    finally:
        if child.pid is not None:
            child.kill()
            child.join()
        here.close()
        there.close()
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def _cure(what: str) -> str:
    return f"look at {what}: nothing of its kind needs so much; if it lasts, tell who made it"


def _work(there: Connection, bounds: tuple[float, int], work: Callable[[], Any]) -> None:
    """Do the work and send what came of it; without memory for that, end in silence."""
    _bound(*bounds)
    told: tuple[Any, Explained | None]
    try:
        told = work(), None
    except MemoryError:
        return
    except Explained as error:
        told = None, error
    except Exception as error:
        why = f"it cannot be read ({type(error).__name__}: {error})"[:500]
        told = None, DataError(why, "report it with the log; everything else goes on")
    there.send(told)
    there.close()


def _bound(seconds: float, megabytes: int) -> None:
    """Let the system end what the parent cannot: it may be killed itself meanwhile."""
    import resource

    cpu_s = int(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
