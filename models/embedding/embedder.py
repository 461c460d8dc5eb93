"""Paragraph embeddings with sentence-transformers."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import ModelUnavailable
from models.loading.import_lock import one_at_a_time
from models.loading.model_locator import label

BATCH = 32


class Embedder:
    """An embedding model, loaded on first use from a local folder or by hub name."""

    def __init__(self, model: str | Path, device: str = "auto", threads: int = 0) -> None:
        """Choose a model. `threads` 0 leaves torch's default; more than the free cores is slower."""
        self._name = str(model)
        self._device = device
        self._threads = threads
        self._model: Any = None
        self._loading = threading.Lock()

    @property
    def version(self) -> str:
        """The model's name, safe in file names; embeddings of different versions must not be mixed."""
        return label(self._name)

    @property
    def tokenizer(self) -> Path:
        """Path of the model's tokenizer.json.

        Raises:
            ModelUnavailable: the hub name is neither cached nor reachable.
        """
        folder = Path(self._name)
        if folder.exists():
            return folder / "tokenizer.json"
        try:
            from huggingface_hub import hf_hub_download

            repository = self._name if "/" in self._name else f"sentence-transformers/{self._name}"
            return Path(hf_hub_download(repository, "tokenizer.json"))
        except Exception as error:
            raise self._unavailable(error) from error

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return float32 [len(texts), d], rows of unit length.

        Raises:
            ModelUnavailable: the model cannot be loaded.
        """
        model = self._load()
        vectors: npt.NDArray[np.float32] = model.encode(
            list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
        )
        return vectors.astype(np.float32)

    def _load(self) -> Any:
        with self._loading:  # several agents share the model, each in its own thread
            if self._model is None:
                os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
                try:
                    with one_at_a_time():
                        import torch
                        from sentence_transformers import SentenceTransformer

                    if self._threads:
                        torch.set_num_threads(self._threads)
                    device = None if self._device == "auto" else self._device
                    self._model = SentenceTransformer(self._name, device=device)
                except Exception as error:
                    raise self._unavailable(error) from error
            return self._model

    def _unavailable(self, error: BaseException) -> ModelUnavailable:
        return ModelUnavailable(
            f"the embedding model {self._name!r} cannot be loaded ({str(error).splitlines()[0][:160]})",
            "set GROUNDSWELL_EMBEDDING_MODEL to a folder or to `packaged`, or check the network",
        )
