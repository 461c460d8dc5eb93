"""The embeddings of a codebook's topics, with which a topic model begins."""

from __future__ import annotations

import io
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
    """Return the codebook's topics as embeddings, float32 [k, d]; a blank codebook still has d.

    They are kept among the blobs. A model begins with them at every start until it has learned a talk, and
    would load the embedding model for them alone.
    """
    texts = [topic.seed for topic in codebook.topics]
    key = f"model/seeds/{stable_id(embedder.version, *texts)}.npy"
    with suppress(DataError, ValueError, EOFError):  # not there, or damaged
        kept: npt.NDArray[np.float32] = np.load(io.BytesIO(blobs.get(key)), allow_pickle=False)
        return kept
    embeddings = embedder.embed([*texts, ANY])[: len(texts)]
    content = io.BytesIO()
    np.save(content, embeddings, allow_pickle=False)
    blobs.put(key, content.getvalue())
    return embeddings
