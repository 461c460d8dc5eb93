"""Blob store for content too large for Kafka: audio, transcripts, embeddings, model checkpoints.

Keys are relative paths with slashes. A write is atomic: in a folder through a temporary file, fsync and
rename; on S3 an object appears only when its upload is complete.
"""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Concatenate, ParamSpec, TypeVar

from streams.errors import DataError, Explained, Misconfigured, Unavailable
from streams.events import Blob

_NOT_A_BLOB = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
_NO_NAME = (errno.ENAMETOOLONG, errno.EINVAL)
_STORES = ("botocore", "aiobotocore", "s3fs", "aiohttp", "gcsfs", "adlfs", "fsspec")
"""Libraries whose errors are not OSErrors."""
P = ParamSpec("P")
T = TypeVar("T")
S3_CONFIG = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}}
"""Timeouts (seconds) and tries; with the defaults, it takes minutes until a silent store is reported."""


def shown(url: str) -> str:
    """Return a store's address without user and password."""
    scheme, found, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if found else url


def _options(url: str) -> dict[str, Any]:
    if not url.startswith(("s3://", "s3a://")):
        return {}
    # Without a cache of listings: other processes write and delete, too.
    return {"config_kwargs": S3_CONFIG, "use_listings_cache": False}


def _answering(method: Callable[Concatenate[Blobs, P], T]) -> Callable[Concatenate[Blobs, P], T]:
    """Decorate a method so that errors of the store's library are raised as `Unavailable` or `DataError`."""

    @wraps(method)
    def asked(self: Blobs, /, *given: P.args, **named: P.kwargs) -> T:
        try:
            return method(self, *given, **named)
        except Explained:
            raise
        except Exception as error:
            if not isinstance(error, OSError) and not type(error).__module__.startswith(_STORES):
                raise
            raise _failed(self.url, error) from error

    return asked


def _failed(url: str, error: Exception) -> DataError | Unavailable:
    reason = getattr(error, "strerror", None) or next(iter(str(error).splitlines()), type(error).__name__)
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return DataError(f"a blob's key is too long for {shown(url)}", "give it a shorter id or name")
    return Unavailable(
        f"the blob store {shown(url)} cannot be read or written ({reason})",
        "check that it runs, is not full and is writable, and that GROUNDSWELL_BLOBS is right",
    )


class Blobs:
    """A study's blob store at an fsspec URL (a local folder, `s3://…`, `memory://…`).

    Raises:
        Misconfigured: no known kind of store has such an address.
        Unavailable: by every method: the store does not answer, is full, or denies access.
    """

    def __init__(self, url: str) -> None:
        import fsspec  # here, because readers of the database import this module without opening a store

        self.url = url
        self._fs: Any
        try:
            self._fs, root = fsspec.core.url_to_fs(url, **_options(url))
        except (ValueError, ImportError) as error:
            raise Misconfigured(
                f"GROUNDSWELL_BLOBS={shown(url)!r} cannot be used as a blob store ({error})",
                "name a folder or s3://bucket/prefix, or leave it unset for a folder under GROUNDSWELL_HOME",
            ) from error
        self._root = str(root).rstrip("/")
        self._local = "file" in (
            self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,)
        )

    @_answering
    def check(self) -> None:
        """Raise Unavailable if the store does not answer, or a folder takes no new file."""
        if not self._local:
            self._fs.exists(self._path("health"))
            return
        Path(self._root).mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=self._root, prefix=".health.", buffering=0) as file:
            file.write(b"1")

    def _path(self, key: str) -> str:
        if key.startswith("/") or ".." in key.split("/"):
            raise DataError(
                f"the blob key {key[:100]!r} leads out of {self.url}: keys are relative, without '..'",
                "correct the program that wrote it, send it again, and drop this one",
            )
        return f"{self._root}/{key}"

    @_answering
    def put(self, key: str, content: bytes) -> Blob:
        """Write `content` under `key`, atomically and durably.

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

    @_answering
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

    @_answering
    def copy_from(self, other: Blobs, key: str) -> None:
        """Copy a blob of another store under its key.

        Raises:
            DataError: there is no such blob.
        """
        if other._local:
            with other._explained(key):
                self.put_file(key, Path(other._path(key)))
        else:
            self.put(key, other.get(key))

    @_answering
    def size(self, key: str) -> int | None:
        """Return the size of `key` (bytes), or None if it does not exist."""
        try:
            return int(self._fs.size(self._path(key)))
        except FileNotFoundError:
            return None

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

    @_answering
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
        """Raise DataError for a missing blob, also if its key is a folder's or an invalid file name."""
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
        """Return a blob's bytes, verified by their sha256.

        Raises:
            DataError: the blob is missing, or its bytes have changed.
        """
        content = self.get(blob.key)
        if hashlib.sha256(content).hexdigest() != blob.sha256:
            raise DataError(
                f"the blob {blob.key} in {self.url} was changed or is damaged (its sha256 differs)",
                "restore it from a backup or delete it and ingest the talk again, then replay",
            )
        return content

    @_answering
    def find(self, key: str) -> Blob | None:
        """Return the pointer to an existing key, or None; an agent uses it to see that its work is done."""
        try:
            content = self._fs.cat_file(self._path(key))
        except FileNotFoundError:
            return None
        return Blob(key=key, sha256=hashlib.sha256(content).hexdigest(), size=len(content))

    @_answering
    def exists(self, key: str) -> bool:
        """Return whether `key` exists."""
        return bool(self._fs.exists(self._path(key)))

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys under a folder `prefix`, sorted."""
        for path in self._found(prefix):
            key = path[len(self._root) + 1 :]
            if not key.rsplit("/", 1)[-1].startswith("."):
                yield key

    @_answering
    def _found(self, prefix: str) -> list[str]:
        folder = self._path(prefix)
        try:
            found = sorted(map(str, self._fs.find(folder)))
        except FileNotFoundError:
            return []
        if found == [folder] and self._local:
            raise NotADirectoryError(errno.ENOTDIR, f"{prefix} is a file", folder)
        return found

    @_answering
    def delete(self, key: str) -> None:
        """Delete `key` if it exists."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._path(key))

    @contextmanager
    def local_file(self, blob: Blob, folder: Path) -> Iterator[Path]:
        """Yield a local path with the blob's bytes: the blob itself in a folder, else a download."""
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

    @_answering
    def create(self, key: str, content: bytes) -> bool:
        """Create `key` unless it exists; return whether this call created it.

        Atomic in a folder (a hard link never replaces a file) and on S3 (a conditional put).
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
