"""Adapter to BERTopic: imports the parts that the topic model uses, and leaves out the rest.

In addition to the public interface, these private parts are used (`PRIVATE`), because online learning with
stable ids has no public way to them:

- `TopicMapper`, assigned to `topic_mapper_`: labels are announced before BERTopic meets them. Several labels
  that it finds by itself are numbered in the order of a set, which differs between processes.
- `topic_sizes_`, `topic_representations_`: emptied before a batch. Otherwise BERTopic would process all
  topics in every call, which was nine tenths of its cost.
- `_top_n_idx_sparse`, `_top_n_values_sparse`: the strongest words of topics, chosen as `partial_fit` does.

A BERTopic that lacks one of them is refused when this module is imported, with the part's name.

A complete import of BERTopic costs seconds of CPU at every start: its plots import plotly and umap, which
compiles itself; its embedding backends and its language models import sentence-transformers and transformers;
its saving checks for torch. None of that is used for online learning, so while this module imports BERTopic

- the modules for drawing and saving are deferred to their first use, if there is one;
- its optional parts, which it can do without if their package is not installed, appear as not installed.
  They are listed by their own names, so that other imports of their packages are not affected.

`tests/unit/topics/test_engine.py` checks this against the installed BERTopic.

Importing this module takes a second: `models.topics` imports it on first use.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from models.errors import ModelUnavailable
from models.loading.import_lock import finding_with, one_at_a_time

ON_FIRST_USE = frozenset({"bertopic.plotting", "bertopic._save_utils"})
"""Modules that run on first use of one of their names: drawing, and writing a model to files."""
LEFT_OUT = frozenset(
    {
        "hdbscan",  # the clusters are those of AnchoredCentroids
        "bertopic.backend._multimodal",  # paragraphs come with their embeddings
        "bertopic.representation._textgeneration",  # the words are c-TF-IDF's
        "bertopic.representation._visual",
        "bertopic.representation._zeroshot",
        "bertopic.backend._openai",  # the following are imported only if their package is installed
        "bertopic.backend._cohere",
        "bertopic.backend._model2vec",
        "bertopic.backend._fastembed",
        "bertopic.backend._langchain",
        "bertopic.representation._llamacpp",
        "bertopic.representation._openai",
        "bertopic.representation._litellm",
        "bertopic.representation._langchain",
        "bertopic.representation._pos",
    }
)
"""Modules hidden from BERTopic's import; using them in this process fails as "not installed"."""
UNUSED = (
    "torch",
    "transformers",
    "sentence_transformers",
    "umap",
    "hdbscan",
    "plotly",
    "numba",
    "matplotlib",
)
"""Large dependencies of BERTopic that must not be imported for it."""


class _WithoutUnused(MetaPathFinder):
    """Import finder that defers some parts of BERTopic and hides others, in one thread only."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if threading.get_ident() != self._thread:
            return None
        if fullname in LEFT_OUT:
            raise ModuleNotFoundError(f"{fullname} is left out: see {__name__}", name=fullname)
        if fullname not in ON_FIRST_USE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _OnFirstUse(spec.loader)
        return spec


class _OnFirstUse(Loader):
    """Loader that runs a module when one of its names is accessed for the first time.

    `importlib.util.LazyLoader` would run it on access to `__file__` already, which any scan of `sys.modules`
    does.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        def load(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            with one_at_a_time():
                if vars(module).pop("__getattr__", None) is not None:
                    self._loader.exec_module(module)
            return getattr(module, name)

        vars(module)["__getattr__"] = load


with finding_with(_WithoutUnused()):
    import bertopic._bertopic as _engine
    from bertopic._bertopic import BERTopic
    from bertopic.cluster import BaseCluster
    from bertopic.dimensionality import BaseDimensionalityReduction
    from bertopic.vectorizers import ClassTfidfTransformer, OnlineCountVectorizer

PRIVATE = {
    "TopicMapper": _engine,
    "_top_n_idx_sparse": BERTopic,
    "_top_n_values_sparse": BERTopic,
}
"""The private parts of BERTopic that are used, with their owners."""
ATTRIBUTES = ("topic_mapper_", "topic_sizes_", "topic_representations_", "topics_", "probabilities_")
"""Attributes that BERTopic sets in its constructor; the topic model reads and writes them between batches."""


def check(private: Mapping[str, Any] = PRIVATE, attributes: Iterable[str] = ATTRIBUTES) -> None:
    """Check that BERTopic still has every private part that is used.

    Raises:
        ModelUnavailable: some are missing; the message names them.
    """
    made = vars(BERTopic(umap_model=BaseDimensionalityReduction(), hdbscan_model=BaseCluster()))
    lacking = [name for name, owner in private.items() if not hasattr(owner, name)]
    lacking += [name for name in attributes if name not in made]
    if lacking:
        raise ModelUnavailable(
            f"BERTopic {metadata.version('bertopic')} has no {', '.join(lacking)}, which is used here",
            "install the version in requirements.lock, or adapt models/topics/online",
        )


check()
TopicMapper: Any = _engine.TopicMapper

__all__ = [
    "BERTopic",
    "BaseCluster",
    "BaseDimensionalityReduction",
    "ClassTfidfTransformer",
    "OnlineCountVectorizer",
    "TopicMapper",
    "check",
]
