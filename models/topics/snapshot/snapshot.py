"""Snapshot file of the topic model: arrays and JSON in one npz file, and never a pickle."""

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from models.errors import BadInput

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

FORMAT = 2
"""Raised whenever an array or a field changes its meaning."""

_META = "meta"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The complete state of a topic model.

    Attributes:
        arrays: numbers; any name but `meta`.
        meta: names, words, texts and versions; `format` is the version of the layout.
    """

    arrays: dict[str, NDArray[Any]]
    meta: dict[str, JSON]


def dump(snapshot: Snapshot) -> bytes:
    """Return the snapshot as npz, in the layout of `numpy.savez`; `meta` is UTF-8 JSON as a uint8 array.

    Equal snapshots give equal bytes: names are sorted and the zip's timestamps fixed.
    """
    text = json.dumps(snapshot.meta, ensure_ascii=False, sort_keys=True, allow_nan=False)
    arrays = {**snapshot.arrays, _META: np.frombuffer(text.encode(), np.uint8)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            with archive.open(zipfile.ZipInfo(f"{name}.npy", _EPOCH), "w", force_zip64=True) as member:
                npy.write_array(member, np.asarray(arrays[name], order="C"), allow_pickle=False)
    return buffer.getvalue()


def load(data: bytes) -> Snapshot:
    """Return the snapshot that `dump` wrote.

    Raises:
        BadInput: not a snapshot, a damaged one, or one of another format version.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        meta = json.loads(arrays.pop(_META).tobytes().decode())
        version = meta["format"]
    except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BadInput(
            f"not a topic model snapshot, or a damaged one ({type(error).__name__}: {error})",
            "restore it from a backup",
        ) from error
    if version != FORMAT:
        raise BadInput(
            f"the snapshot has format {version}, and this version reads format {FORMAT}",
            "use the version that wrote it",
        )
    return Snapshot(arrays, meta)
