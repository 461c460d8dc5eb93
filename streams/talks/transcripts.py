"""Keys of a talk's transcripts in the blob store, one per version."""

from __future__ import annotations

from collections.abc import Iterator

from streams.events import Blob, stable_id
from streams.state.blobs import Blobs

FOLDER = "transcripts"
SOURCE_DIGITS = 12
"""Number of hex digits of the source's sha256 at the end of a version."""


def version_of(made_by: str, source: Blob) -> str:
    """Return the version of a transcript: the name of its maker and the hash of its source.

    Example:
        >>> version_of("captions-1", Blob(key="inbox/a.vtt", sha256="00828e789e9d" + "0" * 52, size=1))
        'captions-1-00828e789e9d'
    """
    return f"{made_by}-{source.sha256[:SOURCE_DIGITS]}"


def key_of(video_id: str, version: str) -> str:
    """Return the blob key of a transcript."""
    return f"{FOLDER}/{stable_id(video_id)}/{version}.json"


def versions(blobs: Blobs, video_id: str) -> Iterator[str]:
    """Yield the versions of a talk's transcripts in alphabetical order."""
    for key in blobs.keys(f"{FOLDER}/{stable_id(video_id)}"):
        yield key.rpartition("/")[2].removesuffix(".json")
