"""Runs work on untrusted input in a child process with limits on time and memory."""

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
    """The work took more time or memory than any valid input needs."""


def apart(
    seconds: float, megabytes: int, what: str, work: Callable[P, T], *given: P.args, **named: P.kwargs
) -> T:
    """Run `work` in a new process, killed when it exceeds a limit, and return its result.

    Args:
        seconds: time limit, including the start of the process.
        megabytes: memory limit (address space; not enforced on macOS).
        what: name of the input in errors.
        work: a module-level function; it and its arguments must be picklable.
        given: its positional arguments.
        named: its keyword arguments.

    Raises:
        TooMuchError: the work exceeded a limit, or crashed the process.
        Explained: the error that `work` raised; other exceptions become a DataError.
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
            f"{what} takes more than {megabytes} MB of memory to read, or crashes its parser", _cure(what)
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
    return f"check {what}, valid ones need far less; if the error persists, tell its publisher"


def _work(there: Connection, bounds: tuple[float, int], work: Callable[[], Any]) -> None:
    """Do the work and send its result or error; exit silently if there is no memory for that."""
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
        told = None, DataError(why, "report it with the log; everything else continues")
    there.send(told)
    there.close()


def _bound(seconds: float, megabytes: int) -> None:
    """Set resource limits of this process, because the parent may be killed before it can end it."""
    import resource

    cpu_s = int(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
