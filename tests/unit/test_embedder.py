"""The embedder reads paragraphs to their end, and computes in what the processor has."""

import shutil
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest

from models.bundled_models import prepare
from models.embedding.embedder import Embedder, Precision, has_bfloat16, space_of
from models.errors import ModelUnavailable

LONG = "we serve a language model in production and measure what it costs and how well it answers " * 16
"""288 tokens: more than the 256 that the packaged model reads by default."""
ENDS = ("thank you", "so")
TALK = [
    "We evaluate retrieval with two hundred questions that customers asked.",
    "The agent calls a tool, and the tool fails in production.",
    LONG + ENDS[0],
]


def packaged() -> Path:
    return Path(prepare(platformdirs.user_cache_path("groundswell") / "models").embedding)


@cache
def embedder(max_tokens: int = 300, precision: Precision | None = None) -> Embedder:
    return Embedder(packaged(), "cpu", 1, max_tokens=max_tokens, precision=precision)


def cosine(first: str, second: str, by: Embedder) -> float:
    one, other = by.embed([first, second])
    return float(one @ other)


def test_the_end_of_a_long_paragraph_is_embedded() -> None:
    ended = [LONG + end for end in ENDS]
    assert cosine(*ended, embedder(256)) == pytest.approx(1, abs=1e-6)
    assert cosine(*ended, embedder()) < 0.9999


def test_a_model_that_cannot_read_so_much_names_the_cure(tmp_path: Path) -> None:
    from transformers import AutoTokenizer, BertConfig, BertModel

    small = BertConfig(
        vocab_size=30_522,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=128,
    )
    BertModel(small).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(packaged()).save_pretrained(tmp_path)
    with pytest.raises(ModelUnavailable, match=r"reads 128 tokens .* up to 300") as refused:
        Embedder(tmp_path, "cpu", 1, max_tokens=300).embed(TALK)
    assert "GROUNDSWELL_MAX_TOKENS to 128" in refused.value.cure
    assert Embedder(tmp_path, "cpu", 1, max_tokens=128).embed(TALK).shape == (3, 16)


def test_bfloat16_gives_nearly_the_same_unit_vectors() -> None:
    """On any processor: one without bfloat16 computes it slowly."""
    exact, rounded = (embedder(precision=each).embed(TALK) for each in ("float32", "bfloat16"))
    assert rounded.dtype == np.float32
    assert not np.array_equal(exact, rounded)
    assert np.linalg.norm(rounded, axis=1) == pytest.approx(1, abs=1e-6)
    assert (exact * rounded).sum(axis=1).min() >= 0.999


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_same_texts_give_the_same_bytes(precision: Precision) -> None:
    by = embedder(precision=precision)
    assert by.embed(TALK).tobytes() == by.embed(TALK).tobytes()


def test_a_version_says_what_changes_the_embeddings(tmp_path: Path) -> None:
    versions = {
        Embedder(packaged(), "cpu", max_tokens=tokens, precision=precision).version
        for tokens in (256, 300)
        for precision in ("float32", "bfloat16")
    }
    assert len(versions) == 4
    assert {space_of(each) for each in versions} == {embedder(256).space, embedder().space}
    shutil.copytree(packaged(), copied := tmp_path / "another")
    assert Embedder(copied, "cpu", max_tokens=300).space not in {space_of(each) for each in versions}


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [({"avx512_bf16": True}, "bfloat16"), ({"amx_bf16": True}, "bfloat16"), ({"avx512_f": True}, "float32")],
    ids=["AVX512-BF16", "AMX", "neither"],
)
def test_the_processor_decides_the_precision(
    capabilities: dict[str, Any], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert Embedder(packaged(), "cpu", max_tokens=300).version.endswith(f"-300-tokens-{precision}")
    assert not has_bfloat16("mps")
