"""CAM++ as we wrote it, with the authors' weights."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models.audio.samples import SAMPLE_RATE, decode
from models.bundled_models import PackagedModels

pytestmark = [pytest.mark.speech, pytest.mark.long]

TURNS = {
    "sheila": [(14.6, 17.8), (22.0, 23.9), (24.1, 26.9)],
    "diane": [(11.1, 14.2), (18.7, 21.4)],
}
"""Seconds of the telephone call in which only one of the two is heard."""


@pytest.fixture(scope="module")
def voice(packaged_models: PackagedModels) -> Any:
    from models.campplus import CAMPPlusEmbedding

    model = CAMPPlusEmbedding.from_pretrained(packaged_models.diarization / "embedding")
    assert isinstance(model, CAMPPlusEmbedding)
    return model.eval()


def embed(voice: Any, audio: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    import torch

    embedding: npt.NDArray[np.float32] = voice(torch.from_numpy(audio)[None, None])[0].numpy()
    return embedding


def cosine(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_the_embedding_of_a_known_sound_has_not_changed(voice: Any) -> None:
    """Pinned where the network, given the same features, equals another implementation to the bit."""
    seconds = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    chord = sum(0.2 * np.sin(2 * np.pi * f * seconds * (1 + 0.05 * seconds)) for f in (120, 240, 1450, 2700))
    embedding = embed(voice, np.asarray(chord, np.float32))
    assert embedding.shape == (voice.dimension,) == (192,)
    assert embedding[:4] == pytest.approx([-0.9931, -0.1455, 0.6165, -0.6631], abs=2e-3)
    assert (embedding.mean(), embedding.std()) == pytest.approx((0.1293, 0.7724), abs=2e-3)
    assert (embedding < 0).mean() == pytest.approx(0.48, abs=0.02)


def test_the_same_speaker_is_nearer_than_another(voice: Any, telephone_call: Path) -> None:
    call = decode(telephone_call)
    voices = {
        name: [embed(voice, call[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]) for start, end in turns]
        for name, turns in TURNS.items()
    }
    same = [cosine(*pair) for turns in voices.values() for pair in combinations(turns, 2)]
    different = [cosine(one, other) for one in voices["sheila"] for other in voices["diane"]]
    assert min(same) > 0.6
    assert max(different) < 0.5


def test_only_what_is_heard_of_a_speaker_is_embedded(voice: Any) -> None:
    import torch

    noise = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (3, 1, 5 * SAMPLE_RATE))).float()
    noise[1, :, 2 * SAMPLE_RATE :] = 0
    heard = torch.zeros(3, 250)
    heard[0] = 1
    heard[1, :100] = 1
    heard[2, :5] = 1
    everything, the_beginning, too_little = voice(noise, weights=heard).numpy()
    assert cosine(everything, embed(voice, noise[0, 0].numpy())) == pytest.approx(1, abs=1e-5)
    assert cosine(the_beginning, embed(voice, noise[1, 0, : 2 * SAMPLE_RATE].numpy())) > 0.99
    assert np.isnan(too_little).all()


def test_equal_waveforms_in_a_batch_share_their_features() -> None:
    """Each has the features that it has alone, wherever it is."""
    import torch

    from models.campplus import _log_mels

    one, other = torch.from_numpy(np.random.default_rng(1).normal(0, 0.1, (2, 1, SAMPLE_RATE))).float()
    batch = torch.stack([one, one, other, one, other, other])
    alone = {id(each): _log_mels(each[None])[0] for each in (one, other)}
    for features, each in zip(_log_mels(batch), [one, one, other, one, other, other], strict=True):
        assert torch.equal(features, alone[id(each)])


def test_a_tenth_of_a_second_is_no_voice(voice: Any) -> None:
    for samples in (1, SAMPLE_RATE // 10):
        with pytest.raises(ValueError, match="too few for an embedding"):
            embed(voice, np.zeros(samples, np.float32))
