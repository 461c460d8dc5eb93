"""Plain BERTopic, in a process without Groundswell, reads the output of `groundswell export --bertopic`."""

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from agents.cli.study.export import export
from agents.topics.checkpoints import CHECKPOINTS
from models.bundled_models import prepare
from models.codebook.codebook import load as load_codebook
from models.embedding.embedder import Embedder
from models.topics import Batch, TopicModel, TopicSettings, dump
from models.transcripts.captions import parse
from models.transcripts.splitting import Splitter
from models.transcripts.transcript import Transcript
from streams.errors import DataError
from streams.settings import Settings
from streams.state.blobs import Blobs
from tests.processes import TALKS

LEARNED = 45
PROGRAM = """
import json, sys
from bertopic import BERTopic
folder, model, texts = sys.argv[1], sys.argv[2], json.load(sys.stdin)
loaded = BERTopic.load(folder, embedding_model=model)
numbers, _ = loaded.transform(texts)
figures = [
    loaded.visualize_barchart(), loaded.visualize_hierarchy(), loaded.visualize_heatmap(),
    loaded.visualize_topics(), loaded.visualize_term_rank(),
]
assert not {name.split(".")[0] for name in sys.modules} & {"models", "agents", "streams"}
print(json.dumps({
    "ids": [loaded.topic_aspects_["Groundswell"][int(number)][0] for number in numbers],
    "figures": [type(figure).__name__ for figure in figures],
    "topics": len(loaded.get_topic_info()),
    "nearest": loaded.find_topics("retrieval with vector databases", top_n=1)[0][0],
}))
"""


@pytest.fixture(scope="module")
def packaged() -> Path:
    return prepare(platformdirs.user_cache_path("groundswell") / "models").embedding


def talk(path: Path, number: int, embedder: Embedder) -> Batch:
    captions = parse(path.read_bytes(), path.name)
    transcript = Transcript(
        language="en",
        language_probability=None,
        duration_s=captions.duration_s,
        segments=captions.segments,
        made_by={},
    )
    texts = tuple(paragraph.text for paragraph in Splitter(embedder.tokenizer, 300).split(transcript))
    return Batch(
        batch_id=path.stem,
        video_id=path.stem,
        published_on=date(2024, 1, 5) + timedelta(days=7 * number),
        paragraph_ids=tuple(f"{path.stem}-{position}" for position in range(len(texts))),
        texts=texts,
        embeddings=embedder.embed(list(texts)),
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GROUNDSWELL_STUDY", "exported")
    return tmp_path


@pytest.mark.long
def test_bertopic_assigns_the_models_topics_and_draws_its_plots(home: Path, packaged: Path) -> None:
    embedder = Embedder(packaged, "cpu", 1, max_tokens=300)
    codebook = load_codebook("llm-in-production")
    seeds = embedder.embed([topic.seed for topic in codebook.topics])
    model = TopicModel.seeded(codebook, seeds, TopicSettings(), embedder.space)
    talks = [talk(path, at, embedder) for at, path in enumerate(sorted(TALKS.glob("*.json"))[:LEARNED])]
    for each in talks:
        model.learn(each)
    blobs = Blobs(Settings().blobs_url)
    blobs.put(f"{CHECKPOINTS}/0000/000000001.npz", dump(model.to_snapshot()))

    export(bertopic=home / "taken-out")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(home / "taken-out"), str(packaged)],
        input=json.dumps([text for each in talks for text in each.texts]),
        cwd=home,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},  # compiling umap takes longer than a hundred points
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    ours = [topic_id for each in talks for topic_id, _ in model.predict(each.embeddings)]
    agrees = [given == str(topic_id) for given, topic_id in zip(said["ids"], ours, strict=True) if topic_id]
    assert len(agrees) > 40
    assert np.mean(agrees) >= 0.9
    assert said["figures"] == ["Figure"] * 5
    assert said["topics"] == len(model.active()) + 1
    assert model.topics()[said["nearest"]].label == "RAG Systems"


def test_without_a_model_there_is_nothing_to_take_out(home: Path) -> None:
    with pytest.raises(DataError, match="'exported' has no topic model yet: add talks"):
        export(bertopic=home / "taken-out")
    assert not (home / "taken-out").exists()
