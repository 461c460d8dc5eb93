"""Paragraph embeddings with sentence-transformers."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from models.errors import ModelUnavailable
from models.loading.import_lock import one_at_a_time
from models.loading.model_locator import label

BATCH, BATCH_ON_CPU = 32, 16
"""Texts in a batch. On a CPU, what larger ones compute in between does not stay in the cache."""
KEPT_SHAPES = 64
"""Shapes of bfloat16 products whose compiled code torch keeps on a CPU. Its own number is 1,024, which texts
of many lengths fill with 0.2 GB (tests/speech/test_embedder_memory.py)."""
Precision = Literal["float32", "bfloat16"]
"""The type of the numbers in a model's matrix products; all else, and every result, is float32."""


class Embedder:
    """An embedding model, loaded on first use from a local folder or by hub name.

    The same texts in one call give the same bytes on one kind of machine; other texts beside them, or another
    kind of machine, may change the last bits. So what is to stay the same is stored when it is made.
    """

    def __init__(
        self,
        model: str | Path,
        device: str = "auto",
        threads: int = 0,
        *,
        max_tokens: int,
        precision: Precision | None = None,
    ) -> None:
        """Choose a model.

        Args:
            model: a folder, or a name on the hub.
            threads: 0 leaves torch's default; more than the free cores is slower.
            max_tokens: number of tokens of a text that are read, special tokens included.
            precision: None: bfloat16 where the device computes with it, else float32.
        """
        self._name = str(model)
        self._device = device
        self._threads = threads
        self._precision = precision
        self._model: Any = None
        self._loading = threading.Lock()
        self.max_tokens = max_tokens

    @property
    def model(self) -> str:
        """The model's name, safe in file names; a folder's also says which weights are in it."""
        return label(self._name)

    @property
    def space(self) -> str:
        """The model and how much of a text it reads: embeddings of different spaces must not be mixed."""
        return f"{self.model}-{self.max_tokens}-tokens"

    @property
    def version(self) -> str:
        """The space and the precision: all that changes the embeddings of a text. Loads the model.

        Embeddings of two versions in one space differ by rounding (`benchmarks/embedding.py`) and may be
        mixed.
        """
        return f"{self.space}-{self.precision}"

    @property
    def precision(self) -> Precision:
        """The precision of this machine. Loads the model, whose device decides."""
        if self._precision is None:
            self._precision = "bfloat16" if has_bfloat16(self._load().device.type) else "float32"
        return self._precision

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
            ModelUnavailable: the model cannot be loaded, or reads fewer than `max_tokens` tokens.
        """
        model = self._load()
        device = model.device.type
        size = BATCH_ON_CPU if device == "cpu" else BATCH
        with self._multiplying(device):
            vectors: npt.NDArray[np.float32] = model.encode(
                list(texts), batch_size=size, normalize_embeddings=True, show_progress_bar=False
            )
        return vectors.astype(np.float32)

    def _multiplying(self, device: str) -> contextlib.AbstractContextManager[Any]:
        if self.precision == "float32":
            return contextlib.nullcontext()
        import torch

        return torch.autocast(device, torch.bfloat16)

    def _load(self) -> Any:
        with self._loading:  # several agents share the model, each in its own thread
            if self._model is None:
                os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(KEPT_SHAPES))
                try:
                    with one_at_a_time():
                        from huggingface_hub.utils.tqdm import disable_progress_bars

                        disable_progress_bars()  # before transformers is imported, which then has none either
                        import torch
                        from sentence_transformers import SentenceTransformer

                    if self._threads:
                        torch.set_num_threads(self._threads)
                    device = None if self._device == "auto" else self._device
                    model = SentenceTransformer(self._name, device=device)
                except Exception as error:
                    raise self._unavailable(error) from error
                self._read_whole_paragraphs(model)
                self._model = model
            return self._model

    def _read_whole_paragraphs(self, model: Any) -> None:
        """Let a model read `max_tokens` tokens; many, as the packaged one, read fewer than they could."""
        if (network := getattr(model[0], "auto_model", None)) is None:
            return  # a table of words, which reads texts of any length
        most = getattr(network.config, "max_position_embeddings", None) or self.max_tokens
        table = getattr(getattr(network, "embeddings", None), "position_embeddings", None)
        if (padding := getattr(table, "padding_idx", None)) is not None:
            most -= padding + 1  # as in RoBERTa, whose first positions are no token's
        if most < self.max_tokens:
            raise ModelUnavailable(
                f"the embedding model {self._name!r} reads {most} tokens of a text, "
                f"but paragraphs have up to {self.max_tokens}, whose ends it would not see",
                f"set GROUNDSWELL_MAX_TOKENS to {most} or fewer, or choose another "
                "GROUNDSWELL_EMBEDDING_MODEL",
            )
        model.max_seq_length = self.max_tokens

    def _unavailable(self, error: BaseException) -> ModelUnavailable:
        return ModelUnavailable(
            f"the embedding model {self._name!r} cannot be loaded ({str(error).splitlines()[0][:160]})",
            "set GROUNDSWELL_EMBEDDING_MODEL to a folder or to `packaged`, or check the network",
        )


def has_bfloat16(device: str) -> bool:
    """Return whether a kind of device (`cpu`, `cuda`) multiplies in bfloat16 itself, without emulation."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device == "cpu":
        has = torch.cpu.get_capabilities()
        return bool(has.get("avx512_bf16") or has.get("amx_bf16"))
    return False


def space_of(version: str) -> str:
    """Return the space of an embedder's version.

    >>> space_of("all-MiniLM-L6-v2-300-tokens-bfloat16")
    'all-MiniLM-L6-v2-300-tokens'
    """
    for precision in get_args(Precision):
        version = version.removesuffix(f"-{precision}")
    return version
