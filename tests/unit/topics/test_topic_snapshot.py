"""The model at rest: exact, byte for byte, and safe to load."""

import io
import pickle
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from made_up_talks import EMBEDDING_MODEL, SUBJECTS, model, talk

from models.errors import BadInput
from models.topics import Snapshot, TopicModel, TopicSettings, dump, load

SETTINGS = TopicSettings(
    buffer=20,
    vocabulary=30,
    reservoir=30,
    first_look=10,
    bootstrap=20,
    group_paragraphs=4,
    max_topics=4,
    rest_videos=3,
)
"""Small bounds, so that a short stream reaches all of them."""


def saved_and_restored(topics: TopicModel, settings: TopicSettings = SETTINGS) -> TopicModel:
    return TopicModel.from_snapshot(load(dump(topics.to_snapshot())), settings, EMBEDDING_MODEL)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(  # a topic that a look brought must move with the next talk, whether or not there was a restart
    known=2,
    talks=[
        ["bread", "trains", "glass", "clocks"],
        ["trains"],
        ["bread", "bees", "glass", "glass", "trains"],
        [""],
        ["ships", "ships", "trains", "", ""],
        ["bees", "trains"],
        ["ships", "bees"],
        ["", "glass", "", "ships", "bees"],
        ["", "bees", "trains"],
    ],
)
@given(
    known=st.integers(0, 2),
    talks=st.lists(
        st.lists(st.sampled_from(["", *SUBJECTS]), min_size=1, max_size=5), min_size=2, max_size=16
    ),
)
@pytest.mark.long
def test_a_model_restored_after_every_talk_is_the_same_model(known: int, talks: list[list[str]]) -> None:
    steady = interrupted = model(*SUBJECTS[:known], settings=SETTINGS)
    interrupted = saved_and_restored(steady)
    for number, subjects in enumerate(talks):
        assert interrupted.learn(talk(number, subjects)) == steady.learn(talk(number, subjects))
        interrupted = saved_and_restored(interrupted)
        assert dump(interrupted.to_snapshot()) == dump(steady.to_snapshot())
    assert interrupted.topics() == steady.topics()
    assert interrupted.version == steady.version


def test_a_restored_model_remembers_what_it_learned() -> None:
    topics = model("bread", settings=SETTINGS)
    topics.learn(talk(0, ["bread"]))
    assert saved_and_restored(topics).learned("talk-0:1")


def test_a_snapshot_does_not_change_when_its_model_goes_on() -> None:
    topics = model("bread", settings=SETTINGS)
    snapshot = topics.to_snapshot()
    before = dump(snapshot)
    for number in range(3):
        topics.learn(talk(number, ["bread", "bees", "bees"]))
    assert dump(snapshot) == before


def test_numpy_reads_the_file_without_pickle_or_time_in_it() -> None:
    data = dump(model("bread").to_snapshot())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == sorted(archive.namelist())
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        assert arrays["anchors"].shape == (1, 32)
        assert b'"embedding_model": "made-up"' in arrays["meta"].tobytes()


def test_it_says_which_libraries_it_came_from() -> None:
    assert set(model("bread").to_snapshot().meta["libraries"]) == {  # type: ignore[arg-type]
        "bertopic",
        "networkx",
        "numpy",
        "river",
        "scikit-learn",
        "scipy",
    }


def pickled() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, meta=np.array([{"format": 1}], dtype=object))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a snapshot",
        pickle.dumps({"format": 1}),
        pickled(),
        dump(Snapshot({}, {"no": "format"})),
        dump(model("bread").to_snapshot())[:-200],
    ],
)
def test_what_is_not_a_snapshot_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="not a topic model snapshot, or a damaged one"):
        load(data)


def test_another_format_is_refused() -> None:
    wanted = r"has format 1, and this version reads format 2: use the version that wrote it$"
    with pytest.raises(BadInput, match=wanted):
        load(dump(Snapshot({}, {"format": 1})))


def test_a_snapshot_of_another_major_library_version_is_refused() -> None:
    snapshot = model("bread").to_snapshot()
    libraries = dict(snapshot.meta["libraries"])  # type: ignore[arg-type]
    other = Snapshot(snapshot.arrays, {**snapshot.meta, "libraries": {**libraries, "numpy": "1.26.4"}})
    with pytest.raises(BadInput, match=r"made with numpy 1\.26\.4, not .*: install numpy 1$"):
        TopicModel.from_snapshot(other, TopicSettings())


def test_a_snapshot_made_with_another_minor_version_goes_on() -> None:
    snapshot = model("bread").to_snapshot()
    libraries = dict(snapshot.meta["libraries"])  # type: ignore[arg-type]
    major = str(libraries["numpy"]).split(".")[0]
    other = Snapshot(snapshot.arrays, {**snapshot.meta, "libraries": {**libraries, "numpy": f"{major}.0.1"}})
    assert TopicModel.from_snapshot(other, TopicSettings()).topics() == model("bread").topics()


def test_embeddings_of_another_model_do_not_mix() -> None:
    with pytest.raises(BadInput, match="embeddings of made-up, not of other: embed with that model"):
        TopicModel.from_snapshot(model("bread").to_snapshot(), TopicSettings(), "other")


def test_other_settings_are_named() -> None:
    with pytest.raises(BadInput, match=r"learned with floor = 0\.2, not 0\.4"):
        TopicModel.from_snapshot(model("bread").to_snapshot(), replace(TopicSettings(), floor=0.4))


def test_a_setting_that_is_no_more_is_no_obstacle() -> None:
    snapshot = model("bread").to_snapshot()
    settings = {**snapshot.meta["settings"], "bursts.source_missing": "1.0"}  # type: ignore[dict-item]
    other = Snapshot(snapshot.arrays, {**snapshot.meta, "settings": settings})
    assert TopicModel.from_snapshot(other, TopicSettings()).topics() == model("bread").topics()


def test_a_missing_part_is_named() -> None:
    snapshot = model("bread").to_snapshot()
    del snapshot.arrays["means"]
    with pytest.raises(BadInput, match=r"do not fit together .*means"):
        TopicModel.from_snapshot(snapshot, TopicSettings())
    del snapshot.meta["topics"]
    with pytest.raises(BadInput, match="damaged"):
        TopicModel.from_snapshot(snapshot, TopicSettings())
