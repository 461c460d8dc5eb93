"""CAM++, the speaker embedding of the 3D-Speaker project, as a pyannote.audio model.

A densely connected time-delay network, each layer of which masks its features by their context, after a small
residual front end. Architecture and layer names follow the authors' checkpoints, so their weights load
unchanged. Checkpoints that were assembled on other machines name this module, so it must not be moved.

Source: Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using
Context-Aware Masking", Interspeech 2023, arXiv:2303.00332; 3D-Speaker (Apache-2.0),
`speakerlab/models/campplus`.
"""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the customary name
from torch import Tensor, nn
from torchaudio.compliance import kaldi

from models.audio.samples import SAMPLE_RATE
from models.loading.pyannote_audio import Model

DIMENSION = 192
MEL_BINS = 80
FEWEST_FRAMES = 20
"""Fewest frames of 10 ms that are embedded: a fifth of a second of speech says too little about a voice."""

_CONTEXT_FRAMES = 100
_GROWTH = 32
_BLOCKS = ((12, 1), (24, 2), (16, 2))
"""Layers and dilation of each dense block."""


class CAMPPlus(nn.Module):
    """The network: log-mel features `[batch, frames, 80]` to embeddings `[batch, 192]`, not normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.head = _FrontEnd()
        channels = 128
        layers: dict[str, nn.Module] = {"tdnn": _TimeDelay(self.head.channels, channels)}
        for number, (depth, dilation) in enumerate(_BLOCKS, start=1):
            layers[f"block{number}"] = _DenseBlock(depth, channels, dilation)
            channels += depth * _GROWTH
            layers[f"transit{number}"] = _Transit(channels, channels // 2)
            channels //= 2
        layers["out_nonlinear"] = _norm_relu(channels)
        layers["stats"] = _MeanAndDeviation()
        layers["dense"] = _Embed(2 * channels, DIMENSION)
        self.xvector = nn.Sequential()
        for name, layer in layers.items():
            self.xvector.add_module(name, layer)

    def forward(self, features: Tensor) -> Tensor:
        """Embed a batch of utterances of equal length, with the mean of every mel bin subtracted."""
        embeddings: Tensor = self.xvector(self.head(features.transpose(1, 2)))
        return embeddings


class CAMPPlusEmbedding(Model):
    """CAM++ with pyannote.audio's interface for speaker embeddings: waveforms in, embeddings out."""

    def __init__(self, sample_rate: int = SAMPLE_RATE, num_channels: int = 1, task: Any = None) -> None:
        super().__init__(sample_rate=sample_rate, num_channels=num_channels, task=task)
        self.net = CAMPPlus()

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return DIMENSION

    @torch.inference_mode()
    def forward(self, waveforms: Tensor, weights: Tensor | None = None, **_: Any) -> Tensor:
        """Embed waveforms, or the parts of them in which the speaker is active.

        Args:
            waveforms: float32 [batch, 1, samples], 16 kHz, in [-1, 1].
            weights: [batch, frames], above 0.5 where the speaker is active; frames of any length, spread
                evenly over the waveform. None: everywhere.

        Returns:
            float32 [batch, 192]; NaN if fewer than `FEWEST_FRAMES` frames of 10 ms are active.

        Raises:
            ValueError: the waveforms are too short for any embedding. (pyannote.audio finds the shortest
                usable waveform by trying.)
        """
        features = torch.stack(_log_mels(waveforms))
        frames = features.shape[1]
        if frames < FEWEST_FRAMES:
            raise ValueError(f"{frames} frames of 10 ms are too few for an embedding: give {FEWEST_FRAMES}")
        if weights is None:
            return self._embed(features)
        heard = F.interpolate(weights.unsqueeze(1).float(), size=frames, mode="nearest").squeeze(1) > 0.5
        embeddings = features.new_full((len(features), DIMENSION), torch.nan)
        for i, (feature, mask) in enumerate(zip(features, heard, strict=True)):
            if mask.sum() >= FEWEST_FRAMES:
                embeddings[i] = self._embed(feature[mask].unsqueeze(0))[0]
        return embeddings

    def _embed(self, features: Tensor) -> Tensor:
        embeddings: Tensor = self.net(features - features.mean(dim=1, keepdim=True))
        return embeddings


def _log_mels(waveforms: Tensor) -> list[Tensor]:
    """Return the features of each waveform; of equal ones in a row, they are computed once.

    pyannote.audio passes a window once for each of its three speakers.
    """
    features: list[Tensor] = []
    for before, waveform in enumerate(waveforms, -1):
        again = before >= 0 and torch.equal(waveform, waveforms[before])
        features.append(features[-1] if again else _log_mel(waveform))
    return features


def _log_mel(waveform: Tensor) -> Tensor:
    """Return Kaldi's log-mel features, `[frames, 80]`, of a `[1, samples]` waveform."""
    if waveform.shape[1] < SAMPLE_RATE // 40:  # less than one 25 ms frame
        return waveform.new_empty((0, MEL_BINS))
    # Kaldi works on 16-bit samples; the factor only affects the floor below which energy is zero.
    features: Tensor = kaldi.fbank(waveform * 2**15, num_mel_bins=MEL_BINS, sample_frequency=SAMPLE_RATE)
    return features


def _norm_relu(channels: int) -> nn.Sequential:
    layers = nn.Sequential()
    layers.add_module("batchnorm", nn.BatchNorm1d(channels))
    layers.add_module("relu", nn.ReLU())
    return layers


class _Residual(nn.Module):
    """Two 3x3 convolutions with a shortcut; `stride` halves the mel axis, never time."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, stride=(stride, 1), padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut.append(nn.Conv2d(channels, channels, 1, stride=(stride, 1), bias=False))
            self.shortcut.append(nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class _FrontEnd(nn.Module):
    """Mel bins x time as an image: `[batch, 80, frames]` to `[batch, channels, frames]`."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = nn.Sequential(_Residual(width, stride=2), _Residual(width, stride=1))
        self.layer2 = nn.Sequential(_Residual(width, stride=2), _Residual(width, stride=1))
        self.conv2 = nn.Conv2d(width, width, 3, stride=(2, 1), padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.channels = width * MEL_BINS // 8

    def forward(self, features: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(features.unsqueeze(1))))
        x = self.layer2(self.layer1(x))
        return F.relu(self.bn2(self.conv2(x))).flatten(1, 2)


class _TimeDelay(nn.Module):
    """The first layer over time, which halves the frame rate."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels_in, channels_out, 5, stride=2, padding=2, bias=False)
        self.nonlinear = _norm_relu(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.nonlinear(self.linear(x))
        return y


class _ContextMask(nn.Module):
    """A convolution, masked by its context: the whole utterance and the segment of 2 s around it."""

    def __init__(self, channels_in: int, channels_out: int, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(
            channels_in, channels_out, 3, padding=dilation, dilation=dilation, bias=False
        )
        self.linear1 = nn.Conv1d(channels_in, channels_in // 2, 1)
        self.linear2 = nn.Conv1d(channels_in // 2, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        segments = F.avg_pool1d(x, _CONTEXT_FRAMES, stride=_CONTEXT_FRAMES, ceil_mode=True)
        nearby = segments.repeat_interleave(_CONTEXT_FRAMES, dim=-1)[..., : x.shape[-1]]
        context = x.mean(dim=-1, keepdim=True) + nearby
        mask = torch.sigmoid(self.linear2(F.relu(self.linear1(context))))
        masked: Tensor = self.linear_local(x) * mask
        return masked


class _DenseLayer(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        bottleneck = 4 * _GROWTH
        self.nonlinear1 = _norm_relu(channels)
        self.linear1 = nn.Conv1d(channels, bottleneck, 1, bias=False)
        self.nonlinear2 = _norm_relu(bottleneck)
        self.cam_layer = _ContextMask(bottleneck, _GROWTH, dilation)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))
        return y


class _DenseBlock(nn.Module):
    """Layers that each receive the outputs of all layers before."""

    def __init__(self, depth: int, channels: int, dilation: int) -> None:
        super().__init__()
        for i in range(depth):
            self.add_module(f"tdnnd{i + 1}", _DenseLayer(channels + i * _GROWTH, dilation))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class _Transit(nn.Module):
    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.nonlinear = _norm_relu(channels_in)
        self.linear = nn.Conv1d(channels_in, channels_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.linear(self.nonlinear(x))
        return y


class _MeanAndDeviation(nn.Module):
    """Statistics pooling: `[batch, channels, frames]` to `[batch, 2 * channels]`."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.mean(dim=-1), x.std(dim=-1)], dim=-1)


class _Embed(nn.Module):
    """The last layer. No ReLU follows its normalisation, as half of the information is in negative values."""

    def __init__(self, channels_in: int, dimension: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels_in, dimension, 1, bias=False)
        self.nonlinear = nn.Sequential()
        self.nonlinear.add_module("batchnorm", nn.BatchNorm1d(dimension, affine=False))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.nonlinear(self.linear(x.unsqueeze(-1)).squeeze(-1))
        return y
