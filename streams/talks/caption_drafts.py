"""Draft transcripts made of captions, used until a talk's recording is transcribed.

A talk's ledger entry, `captions/<talk>.json`, is written after YouTube was asked: a pointer to the captions,
or null if people wrote none. So YouTube is asked only once, and a replay gives the same result.
"""

from __future__ import annotations

import json

from streams.events import Blob, stable_id
from streams.state.blobs import Blobs
from streams.talks.transcripts import versions

FOLDER = "captions"
DRAFT = "draft-"
"""Prefix of the version of a draft transcript; no model's version begins with it."""


def is_draft(transcript_version: str) -> bool:
    """Return whether a transcript is a draft, used only until the recording is transcribed.

    Example:
        >>> is_draft("draft-captions-1-00828e789e9d"), is_draft("captions-1-00828e789e9d")
        (True, False)
    """
    return transcript_version.startswith(DRAFT)


class Drafts:
    """The captions of a study's talks in its blob store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def asked(self, video_id: str) -> bool:
        """Return whether YouTube was already asked for a talk's captions."""
        return self._blobs.exists(_ledger(video_id))

    def kept(self, video_id: str) -> Blob | None:
        """Return a talk's stored captions; None if there are none, or YouTube was not asked yet."""
        if not self.asked(video_id):
            return None
        pointer = json.loads(self._blobs.get(_ledger(video_id)))
        return None if pointer is None else Blob.model_validate(pointer)

    def keep(self, video_id: str, suffix: str, content: bytes) -> Blob:
        """Store captions; `suffix` is their format, such as `.vtt`."""
        blob = self._blobs.put(f"{FOLDER}/{stable_id(video_id)}{suffix}", content)
        self._blobs.put(_ledger(video_id), blob.model_dump_json().encode())
        return blob

    def keep_none(self, video_id: str) -> None:
        """Record that a talk has no usable captions."""
        self._blobs.put(_ledger(video_id), b"null")

    def superseded(self, video_id: str) -> bool:
        """Return whether the talk has a transcript that is not a draft, so that its draft is obsolete."""
        return not all(is_draft(version) for version in versions(self._blobs, video_id))


def _ledger(video_id: str) -> str:
    return f"{FOLDER}/{stable_id(video_id)}.json"
