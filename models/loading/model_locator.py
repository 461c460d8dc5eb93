"""Location of a model: a folder on this machine, or a name on the model hub."""

import hashlib
import re
from pathlib import Path

from models.errors import ModelUnavailable

_SAMPLE = 64 * 1024


def locate(model: str | Path) -> Path | str:
    """Resolve a model setting to a folder or a hub name.

    Args:
        model: a folder (`Path`, or a string that names one), or a name on the hub such as
            "large-v3-turbo" or "pyannote/speaker-diarization-community-1".

    Returns:
        The absolute path of the folder, or the name.

    Raises:
        ModelUnavailable: `model` is written as a path, and there is no such folder.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder.resolve()
    if isinstance(model, Path) or model.startswith(("/", "./", "../", "~")):
        raise ModelUnavailable(f"no model folder {folder}", "correct the setting, or give a hub name")
    return model


def label(model: str | Path) -> str:
    """Return a name for the model that is safe in file names and changes when the model does.

    A hub name is used as it is. A folder gives its name and eight hex digits over the names, sizes,
    beginnings and ends of its files: enough to tell trained versions apart without reading gigabytes.

    Raises:
        ModelUnavailable: as `locate`.

    >>> label("pyannote/speaker-diarization-community-1")
    'pyannote-speaker-diarization-community-1'
    """
    source = locate(model)
    if isinstance(source, Path):
        return f"{_safe(source.name)}-{_fingerprint(source)}"
    return _safe(source)


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-")


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()}\0{size}\0".encode())
        with path.open("rb") as file:
            digest.update(file.read(_SAMPLE))
            file.seek(max(0, size - _SAMPLE))
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()[:8]
