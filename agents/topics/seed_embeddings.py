"""Embeddings of texts of the codebook, kept in the blob store."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from models.codebook.codebook import Codebook
from models.embedding.embedder import Embedder
from streams.errors import DataError
from streams.events import stable_id
from streams.state.blobs import Blobs

ANY = "any text has the model's dimension"


def seeds(codebook: Codebook, embedder: Embedder, blobs: Blobs) -> npt.NDArray[np.float32]:
    """Return the codebook's topics as embeddings, float32 [k, d], the initial state of a topic model."""
    return embedded([topic.seed for topic in codebook.topics], embedder, blobs)


def embedded(texts: Sequence[str], embedder: Embedder, blobs: Blobs) -> npt.NDArray[np.float32]:
    """Return the embeddings of texts, float32 [n, d]; no text gives [0, d].

    They are cached in the blob store: they are needed at every start, which would otherwise load the
    embedding model only for them.
    """
    key = f"model/seeds/{stable_id(embedder.version, *texts)}.npy"
    with suppress(DataError, ValueError, EOFError):  # missing or damaged
        kept: npt.NDArray[np.float32] = np.load(io.BytesIO(blobs.get(key)), allow_pickle=False)
        return kept
    embeddings = embedder.embed([*texts, ANY])[: len(texts)]
    content = io.BytesIO()
    np.save(content, embeddings, allow_pickle=False)
    blobs.put(key, content.getvalue())
    return embeddings
