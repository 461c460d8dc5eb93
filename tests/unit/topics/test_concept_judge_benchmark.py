"""The benchmark of concepts: figures that can be worked out by hand, and a run on a tiny made-up gold."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.topics import concept_judge, streams
from benchmarks.topics.concept_judge import best, calibration_error, counted, recall_at
from benchmarks.topics.multilabel import Readings
from models.concepts.evidence import NAMES
from models.concepts.fitting import Read
from models.concepts.judge import Learned, PooledModel

WORDS = {
    "bread": "dough flour yeast oven crust baker loaf sourdough",
    "ships": "harbour anchor captain sails cargo lighthouse rudder crew",
    "bees": "hive honey queen pollen nectar beekeeper swarm wax",
}


def readings(every: list[list[int]], some: list[list[int]] | None = None) -> Readings:
    talks = tuple(f"talk {row}" for row in range(len(every)))
    return Readings(np.array(every, bool), np.array(some or every, bool), talks)


def read(about: list[list[int]], weights: list[list[float]]) -> Read:
    """Return readings with no evidence beside them."""
    count, concepts = len(about), len(about[0])
    return Read(
        features=np.zeros((count, concepts, len(NAMES))),
        counts=np.zeros((count, 0), np.int64),
        vectors=np.zeros((count, 2), np.float32),
        about=np.array(about, bool),
        weights=np.array(weights),
        talks=("talk",) * count,
    )


def test_at_most_three_concepts_from_a_probability_on_count() -> None:
    probabilities = np.array(
        [[0.9, 0.3, 0.29, 0.0, 0.5], [0.4, 0.6, 0.5, 0.7, 0.1], [0.1, 0.2, 0.0, 0.0, 0.0]]
    )
    assert counted(probabilities).tolist() == [
        [True, True, False, False, True],
        [False, True, True, True, False],
        [False] * 5,
    ]
    assert counted(probabilities, 0.6).sum() == 3


def test_of_equally_probable_concepts_the_first_count() -> None:
    assert counted(np.full((1, 5), 0.5)).tolist() == [[True, True, True, False, False]]


def test_the_best_threshold_is_that_of_the_highest_f1() -> None:
    values = np.linspace(0, 1, 20).reshape(10, 2)
    wanted = values >= 0.8
    told = readings(wanted.astype(int).tolist())
    assert best(values, told).tolist() == wanted.tolist()
    wanted[0, 0] = True  # the lowest value of all: reaching it costs more than it brings
    assert best(values, readings(wanted.astype(int).tolist())).sum() == 4


def test_recall_is_the_highest_at_a_precision() -> None:
    probabilities = np.array([[0.9, 0.8], [0.7, 0.6], [0.5, 0.4]])
    told = readings([[1, 0], [0, 0], [1, 1]], [[1, 1], [0, 0], [1, 1]])
    # right of 1 to 6: 1, 2, 2, 2, 3, 4; found of 3: 1, 1, 1, 1, 2, 3
    assert recall_at(probabilities, told, 1.0) == pytest.approx(1 / 3)
    assert recall_at(probabilities, told, 0.65) == 1.0
    assert recall_at(probabilities, told, 0.67) == pytest.approx(1 / 3)
    assert recall_at(probabilities, told, 0.6) == 1.0
    assert recall_at(-probabilities, told, 0.8) == pytest.approx(2 / 3)


def test_without_a_right_label_nothing_is_recalled() -> None:
    none = readings([[0, 0]])
    assert recall_at(np.array([[0.9, 0.1]]), none) == 0.0


def test_calibration_compares_probability_and_share_by_bin() -> None:
    about = [[1, 0], [0, 0]]
    probabilities = np.array([[0.85, 0.85], [0.12, 1.0]])
    ones = [[1.0, 1.0], [1.0, 1.0]]
    # from .8: 1.7 expected and 1 right; from .1: .12 and 0; 1 is in the last bin: 1 and 0
    assert calibration_error(probabilities, read(about, ones)) == pytest.approx((0.7 + 0.12 + 1.0) / 4)
    assert calibration_error(probabilities, read(about, ones), 0.5) == pytest.approx((0.7 + 1.0) / 3)
    differing = read(about, [[1.0, 1.0], [1.0, 0.0]])
    assert calibration_error(probabilities, differing) == pytest.approx((0.7 + 0.12) / 3)
    assert calibration_error(probabilities, read(about, [[0.0, 0.0], [0.0, 0.0]])) == 0.0


def test_probabilities_that_come_true_are_calibrated() -> None:
    about = [[1], [1], [1], [0], [0]]
    assert calibration_error(np.full((5, 1), 0.6), read(about, [[1.0]] * 5)) == pytest.approx(0)


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a codebook, talks, and a gold that was read twice and once."""
    streams.embedder().embed(["loaded from the user's cache"])
    monkeypatch.setattr(streams, "cache_folder", lambda: tmp_path / "cache")
    book = ["name: crafts", "topics:"]
    for key, words in WORDS.items():
        terms = ", ".join(words.split()[:4])
        book += [
            f"- {{key: {key}, name: {key}, theme: Crafts, description: About {words}, terms: [{terms}]}}"
        ]
    (tmp_path / "crafts.yaml").write_text("\n".join(book))
    rng, talks, gold = np.random.default_rng(0), [], []
    for number in range(18):
        topic = number % 4  # 0 is a talk about nothing
        spoken = list(WORDS.values())[topic - 1].split() if topic else ["rain", "wind", "snow", "fog"]
        text = " ".join(rng.choice(spoken, 12 + number))
        about = {"id": f"t{number:02d}", "published_at": "2024-01-05", "title": "Crafts"}
        talks.append(json.dumps(about | {"text": text}))
        place = {"file": "talks", "talk": about["id"], "position": 0, "published_at": "2024-01-05"}
        labels = [topic] if topic else []
        seen = {"both": labels, "either": labels} if number < 12 else {"once": labels}
        gold.append(json.dumps(place | {"text": text, "stratum": "near1"} | seen))
    gold[0] = gold[0].replace('"either": []', '"either": [2]')
    (tmp_path / "talks.jsonl").write_text("\n".join(talks))
    (tmp_path / "twice.jsonl").write_text("\n".join(gold[:12]))
    (tmp_path / "once.jsonl").write_text("\n".join([*gold[12:], gold[0].replace("t00", "elsewhere")]))
    return tmp_path


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    given = ["--gold", f"{folder / 'twice.jsonl'}", f"{folder / 'once.jsonl'}"]
    given += ["--talks", f"{folder / 'talks.jsonl'}", "--codebook", f"{folder / 'crafts.yaml'}", *more]
    monkeypatch.setattr(sys, "argv", ["concept_judge.py", *given])
    return concept_judge.main()


@pytest.mark.long
def test_a_run_measures_the_paragraphs_that_were_read_twice(
    made_up: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, fit = made_up / "figures.json", made_up / "fit"
    assert run(made_up, monkeypatch, "--out", f"{figures}", "--write", f"{fit}") == 0
    found = json.loads(figures.read_text())
    assert found["paragraphs"] == {"fitted": 18, "tested": 12, "not_found": 1}
    assert found["systems"].keys() == {"judged", "unjudged", "definition", "terms"}
    assert {each["wanted"] for each in found["systems"].values()} == {9}
    assert found["systems"]["definition"]["f1"] == 1.0
    assert found["systems"]["judged"]["f1"] > 0.9
    assert found["recall_at"].keys() == {"judged", "unjudged"}
    assert found["recall_at"]["judged"] == 1.0
    assert all(0 <= each < 0.5 for each in found["calibration_error"].values())
    assert {name: each["wanted"] for name, each in found["by_topic"].items()} == dict.fromkeys(WORDS, 3)
    assert found["cost"] > 0
    shown = capsys.readouterr().out
    assert "crafts: {'fitted': 18" in shown
    assert all(name in shown for name in (*WORDS, "judged", "unjudged", "definition", "terms"))

    PooledModel.model_validate_json((fit / "pooled.json").read_text())
    learned = Learned.model_validate_json((fit / "crafts.json").read_text())
    assert {key: each.judged for key, each in learned.concepts.items()} == {
        "bread": 18,
        "ships": 17,
        "bees": 18,
    }
    assert learned.embedding_model == streams.embedder().model


def test_gold_of_other_talks_is_refused_with_its_cure(
    made_up: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    talk = (made_up / "talks.jsonl").read_text().splitlines()[0].replace("t00", "unread")
    (made_up / "talks.jsonl").write_text(talk)
    assert run(made_up, monkeypatch) == 1
    assert "none of the gold paragraphs is in these talks: name their talks" in capsys.readouterr().err
