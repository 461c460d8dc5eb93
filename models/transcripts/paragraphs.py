"""Paragraphs of a talk with their embeddings, and the artefact that stores both."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from models.errors import BadInput

FORMAT = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Paragraph(BaseModel):
    """A chunk of one talk of at most 300 tokens; disjoint and in order."""

    model_config = ConfigDict(frozen=True)

    position: int
    """Number within the talk, from 0."""
    start: float
    """Seconds."""
    end: float
    """Seconds."""
    text: str
    speakers: tuple[str, ...] = ()
    """Speakers in it, in order of first word."""
    tokens: int
    """Number of tokens of the embedding model's tokenizer."""


class Paragraphs(BaseModel):
    """All paragraphs of a talk. `embeddings`: float32 [len(paragraphs), d], unit length."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    paragraphs: tuple[Paragraph, ...]
    embeddings: npt.NDArray[np.float32]
    embedding_model: str

    def dump(self) -> bytes:
        """Return the artefact: a zip of `embeddings.npy` and `paragraphs.json`, with reproducible bytes."""
        described = {
            "format": FORMAT,
            "embedding_model": self.embedding_model,
            "paragraphs": [paragraph.model_dump(mode="json") for paragraph in self.paragraphs],
        }
        array = io.BytesIO()
        np.save(array, self.embeddings.astype(np.float32), allow_pickle=False)
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("embeddings.npy", _EPOCH), array.getvalue())
            text = json.dumps(described, ensure_ascii=False, sort_keys=True).encode()
            archive.writestr(zipfile.ZipInfo("paragraphs.json", _EPOCH), text, zipfile.ZIP_DEFLATED)
        return whole.getvalue()

    @classmethod
    def load(cls, content: bytes) -> Paragraphs:
        """Return the paragraphs that `dump` wrote.

        Raises:
            BadInput: the bytes are not such an artefact, or one of another format.
        """
        cure = "delete the artefact and replay: the split agent makes it again"
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                described: dict[str, Any] = json.loads(archive.read("paragraphs.json"))
                embeddings = np.load(io.BytesIO(archive.read("embeddings.npy")), allow_pickle=False)
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise BadInput(f"this is not a paragraphs artefact ({error})", cure) from error
        if (found := described.get("format")) != FORMAT:
            raise BadInput(
                f"the paragraphs artefact has format {found}, this groundswell reads {FORMAT}",
                "upgrade this worker, then replay",
            )
        paragraphs = tuple(Paragraph.model_validate(each) for each in described["paragraphs"])
        if embeddings.shape[:1] != (len(paragraphs),):
            raise BadInput(f"{len(paragraphs)} paragraphs but {embeddings.shape[0]} embeddings", cure)
        return cls(paragraphs=paragraphs, embeddings=embeddings, embedding_model=described["embedding_model"])
