"""pyannote.audio without the optional parts of torchmetrics.

pyannote.audio imports torchmetrics, which it needs for training only, and torchmetrics imports transformers
and matplotlib if they are installed: a third of the processor time of the whole import, in every process that
transcribes. While this module imports pyannote.audio, torchmetrics is told that they are not installed
(`OPTIONAL`). Its own metrics that need them are then missing in this process; nothing here uses them.

`tests/speech/test_pyannote_import.py` checks this against the installed torchmetrics.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from models.loading.import_lock import finding_with

FLAGS = "torchmetrics.utilities.imports"
"""The module of torchmetrics whose flags say what is installed."""
OPTIONAL = (
    "_MATPLOTLIB_AVAILABLE",
    "_TRANSFORMERS_AVAILABLE",
    "_TRANSFORMERS_GREATER_EQUAL_4_4",
    "_TRANSFORMERS_GREATER_EQUAL_4_10",
)
os.environ["PYANNOTE_METRICS_ENABLED"] = "0"  # before its import: pyannote.audio reports usage by default


class _NotInstalled(Loader):
    """Loader that sets the flags of `OPTIONAL` to false after it has run their module."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        vars(module).update(dict.fromkeys(OPTIONAL, False))


class _Flags(MetaPathFinder):
    """Import finder that changes how the module of the flags is loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname == FLAGS else None
        if spec is not None and spec.loader is not None:
            spec.loader = _NotInstalled(spec.loader)
        return spec


with finding_with(_Flags()):
    import lightning
    from pyannote.audio import Inference, Model, Pipeline, __version__
    from pyannote.audio.core.task import Problem, Resolution, Specifications

__all__ = [
    "Inference",
    "Model",
    "Pipeline",
    "Problem",
    "Resolution",
    "Specifications",
    "__version__",
    "lightning",
]
