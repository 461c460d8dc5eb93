"""Embeddings of texts of the codebook, kept in the study's blob store and on this machine."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.codebook.codebook import Codebook
from models.concepts.evidence import Prototypes
from models.embedding.embedder import Embedder
from streams.errors import DataError
from streams.events import stable_id
from streams.state.blobs import Blobs

ANY = "any text has the model's dimension"


def prototypes(
    codebook: Codebook, embedder: Embedder, blobs: Blobs, shared: Path | None = None
) -> Prototypes:
    """Return the embeddings of what a codebook says about its topics.

    They are kept: they are needed at every start, which would otherwise load the embedding model only for
    them.

    Args:
        shared: a folder that the studies on this machine share, so that a new one need not embed them again.
    """
    texts = Prototypes.texts(codebook)
    name = stable_id(embedder.space, *texts)
    key = f"model/seeds/{name}.npy"
    with suppress(DataError, ValueError, EOFError):  # missing or damaged
        return Prototypes.of(codebook, _array(blobs.get(key)))
    embeddings = _shared(shared, name)
    if embeddings is None:
        embeddings = embedder.embed([*texts, ANY])[: len(texts)]
        _share(shared, name, embeddings)
    blobs.put(key, _bytes(embeddings))
    return Prototypes.of(codebook, embeddings)


def _shared(folder: Path | None, name: str) -> npt.NDArray[np.float32] | None:
    if folder is not None:
        with suppress(OSError, ValueError, EOFError):  # missing or damaged
            return _array((folder / f"{name}.npy").read_bytes())
    return None


def _share(folder: Path | None, name: str, embeddings: npt.NDArray[np.float32]) -> None:
    if folder is None:
        return
    with suppress(OSError):  # a full or read-only disk: it is embedded again then
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{name}.{os.getpid()}.tmp"
        partial.write_bytes(_bytes(embeddings))
        partial.replace(folder / f"{name}.npy")


def _array(content: bytes) -> npt.NDArray[np.float32]:
    array: npt.NDArray[np.float32] = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def _bytes(array: npt.NDArray[np.float32]) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    return content.getvalue()
