"""Bytes that are too large for Kafka: audio, transcripts, embeddings, model checkpoints.

Keys are relative, slash-separated. A key is written once and whole: on a folder by a temporary
file, fsync and rename; on S3 an object appears only when its upload is complete.
"""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from streams.errors import DataError
from streams.events import Blob

_NOT_A_BLOB = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
_NO_NAME = (errno.ENAMETOOLONG, errno.EINVAL)


class Blobs:
    """A study's blob store at an fsspec URL (a local folder, `s3://…`, `memory://…`)."""

    def __init__(self, url: str) -> None:
        import fsspec  # here, since whoever only reads the database imports this module and makes no store

        self.url = url
        self._fs: Any
        self._fs, root = fsspec.core.url_to_fs(url)
        self._root = str(root).rstrip("/")
        self._local = "file" in (
            self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,)
        )

    def _path(self, key: str) -> str:
        if key.startswith("/") or ".." in key.split("/"):
            raise DataError(
                f"the blob key {key[:100]!r} leads out of {self.url}: it is relative and has no '..'",
                "mend the program that wrote it, send it again, and drop this one",
            )
        return f"{self._root}/{key}"

    def put(self, key: str, content: bytes) -> Blob:
        """Write `content` whole under `key`, durable before returning.

        Raises:
            DataError: the key leads out of the store.
        """
        path = self._path(key)
        if self._local:
            target = Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            self._publish(temporary, target)
        else:
            self._fs.pipe_file(path, content)
        return Blob(key=key, sha256=hashlib.sha256(content).hexdigest(), size=len(content))

    def put_file(self, key: str, source: Path, *, move: bool = False) -> Blob:
        """Copy (or move) a local file to `key` without holding it in memory."""
        digest, size = hashlib.sha256(), 0
        with source.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
        path = self._path(key)
        if self._local:
            import shutil

            target = Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
            (shutil.move if move else shutil.copyfile)(source, temporary)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            self._publish(temporary, target)
        else:
            self._fs.put_file(str(source), path)
            if move:
                source.unlink()
        return Blob(key=key, sha256=digest.hexdigest(), size=size)

    @staticmethod
    def _publish(temporary: Path, target: Path) -> None:
        temporary.replace(target)
        Blobs._sync_folder(target.parent)

    @staticmethod
    def _sync_folder(folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def get(self, key: str) -> bytes:
        """Return the bytes of `key`.

        Raises:
            DataError: there is no such blob.
        """
        with self._explained(key):
            content: bytes = self._fs.cat_file(self._path(key))
        return content

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        """Say that a blob is not there, also where its key is a folder's or can be nobody's."""
        try:
            yield
        except OSError as error:
            if not isinstance(error, _NOT_A_BLOB) and error.errno not in _NO_NAME:
                raise
            raise DataError(
                f"the blob {key[:200]} is not in {self.url}",
                "restore it or ingest the talk again, then replay",
            ) from error

    def read(self, blob: Blob) -> bytes:
        """Return the bytes a pointer names, checked.

        Raises:
            DataError: missing, or not the bytes that were written.
        """
        content = self.get(blob.key)
        if hashlib.sha256(content).hexdigest() != blob.sha256:
            raise DataError(
                f"the blob {blob.key} in {self.url} was changed or is damaged (its sha256 differs)",
                "restore it from a backup or delete it and ingest the talk again, then replay",
            )
        return content

    def find(self, key: str) -> Blob | None:
        """Return the pointer of an existing key, or None: how an agent learns that its work is done."""
        try:
            content = self._fs.cat_file(self._path(key))
        except FileNotFoundError:
            return None
        return Blob(key=key, sha256=hashlib.sha256(content).hexdigest(), size=len(content))

    def exists(self, key: str) -> bool:
        """Whether `key` is there."""
        return bool(self._fs.exists(self._path(key)))

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys under a folder `prefix`, sorted."""
        try:
            found = self._fs.find(self._path(prefix))
        except FileNotFoundError:
            return
        for path in sorted(found):
            key = str(path)[len(self._root) + 1 :]
            if not key.rsplit("/", 1)[-1].startswith("."):
                yield key

    def delete(self, key: str) -> None:
        """Remove `key` if it is there."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._path(key))

    @contextmanager
    def local_file(self, blob: Blob, folder: Path) -> Iterator[Path]:
        """Lend a local path with the blob's bytes: the blob itself on a folder, else a download."""
        if self._local:
            path = Path(self._path(blob.key))
            with self._explained(blob.key):
                path.open("rb").close()
            yield path
            return
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / blob.key.replace("/", "_")
        try:
            target.write_bytes(self.read(blob))
            yield target
        finally:
            target.unlink(missing_ok=True)

    def create(self, key: str, content: bytes) -> bool:
        """Create `key`, whole, only if nobody has it yet: True when this call did.

        Atomic on a folder (a hard link never replaces) and on S3 (a conditional put).
        """
        path = self._path(key)
        if not self._local:
            try:
                with self._fs.open(path, "xb") as file:
                    file.write(content)
            except FileExistsError:
                return False
            return True
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            target.hardlink_to(temporary)
        except FileExistsError:
            return False
        finally:
            temporary.unlink()
        self._sync_folder(target.parent)
        return True
