"""GPUs of this machine and their load, as reported by the driver's own tool.

torch is not used: importing it takes seconds and hundreds of megabytes, which the page does not need.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Sequence
from typing import TypedDict

ASKED = ("index", "name", "memory.used", "memory.total", "utilization.gpu", "temperature.gpu")
NVIDIA_SMI = ("nvidia-smi", f"--query-gpu={','.join(ASKED)}", "--format=csv,noheader,nounits")
TIMEOUT_S = 3.0
"""A driver that hangs must not keep a page waiting."""


class Gpu(TypedDict):
    """A GPU; what the driver does not say is None."""

    index: int | None
    name: str
    memory_used_mib: int | None
    memory_total_mib: int | None
    busy: float | None
    """Share of the last moments, in [0, 1]."""
    celsius: int | None


class Gpus(TypedDict):
    """The GPUs of a machine."""

    devices: list[Gpu]
    note: str
    """Why there is none, in a sentence; empty where there is one."""


def gpus(command: Sequence[str] = NVIDIA_SMI, timeout_s: float = TIMEOUT_S) -> Gpus:
    """Return the GPUs of this machine. Blocks up to `timeout_s` seconds: call it from a thread.

    Args:
        command: the command that prints the lines (tests pass another one).
        timeout_s: how long to wait for it.

    Example:
        >>> gpus(["no-such-tool"])["devices"]
        []
    """
    if shutil.which(command[0]) is None:
        return _none(f"no GPU on this machine ({command[0]} is not installed): speech runs on the CPU")
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return _none(
            f"{command[0]} did not answer within {timeout_s:g} s: the driver hangs, restart the machine"
        )
    except OSError as error:
        return _none(f"{command[0]} cannot be started ({error.strerror}): install the driver again")
    if told.returncode != 0:
        said = " ".join((told.stdout + told.stderr).split())[:200]
        return _none(f"{command[0]} fails ({said}): check the driver")
    devices = [_device(line) for line in csv.reader(told.stdout.splitlines(), skipinitialspace=True) if line]
    return {"devices": devices, "note": ""} if devices else _none("no GPU on this machine")


def _none(note: str) -> Gpus:
    return {"devices": [], "note": note}


def _device(fields: Sequence[str]) -> Gpu:
    said = dict(zip(ASKED, (field.strip() for field in fields), strict=False))
    busy = _number(said.get("utilization.gpu", ""))
    return {
        "index": _number(said.get("index", "")),
        "name": said.get("name", ""),
        "memory_used_mib": _number(said.get("memory.used", "")),
        "memory_total_mib": _number(said.get("memory.total", "")),
        "busy": busy / 100 if busy is not None else None,
        "celsius": _number(said.get("temperature.gpu", "")),
    }


def _number(text: str) -> int | None:
    """Return the number, or None for a placeholder of the driver such as [N/A]."""
    return int(text) if text.isdecimal() else None
