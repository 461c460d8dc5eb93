"""A BERTopic user takes the topics out and works on with BERTopic alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_talks import SUBJECTS, WORDS, model, talk

from models.errors import BadInput
from models.topics import Assignment, Batch, TopicModel, TopicSettings
from models.topics.bertopic_export import save, to_bertopic

TALKS, LATER = 40, 20


def heard(number: int) -> Batch:
    """A talk about four of the six subjects, and a paragraph about nothing."""
    return talk(number, [SUBJECTS[(number + step) % len(SUBJECTS)] for step in range(4)] + [""])


@pytest.fixture(scope="module")
def learned() -> tuple[TopicModel, list[Batch], list[Assignment]]:
    """A model of which two topics were born; later talks, and what it says to them."""
    topics = model(*SUBJECTS[:4])
    for number in range(TALKS):
        topics.learn(heard(number))
    assert len(topics.topics()) > 4
    later = [heard(number) for number in range(TALKS, TALKS + LATER)]
    said: list[Assignment] = []
    for batch in later:  # what this model says to each, and none that has learned the others
        said += TopicModel.from_snapshot(topics.to_snapshot(), TopicSettings()).learn(batch).assignments
    return topics, later, said


@pytest.fixture(scope="module")
def loaded(learned: tuple[TopicModel, list[Batch], list[Assignment]], tmp_path_factory: Any) -> Any:
    from bertopic import BERTopic
    from bertopic.backend import BaseEmbedder

    folder = tmp_path_factory.mktemp("exported")
    save(learned[0], folder)
    return BERTopic.load(folder, embedding_model=BaseEmbedder())


def ours(loaded: Any) -> dict[int, int | None]:
    """Return our topic id for each of BERTopic's."""
    ids = {number: said[0] for number, said in loaded.topic_aspects_["Groundswell"].items()}
    return {number: None if said == "none" else int(said) for number, said in ids.items()}


def test_transform_assigns_later_paragraphs_as_the_model_does(
    learned: tuple[TopicModel, list[Batch], list[Assignment]], loaded: Any
) -> None:
    _, later, said = learned
    texts = [text for batch in later for text in batch.texts]
    numbers, cosines = loaded.transform(texts, np.vstack([batch.embeddings for batch in later]))
    pairs = [(ours(loaded)[int(number)], each.topic_id) for number, each in zip(numbers, said, strict=True)]
    with_topic = [pair for pair in pairs if pair[1] is not None]
    assert len(with_topic) > 60
    assert np.mean([given == wanted for given, wanted in with_topic]) >= 0.9
    assert np.mean([given == wanted for given, wanted in pairs]) >= 0.8
    assert {None, *(topic for _, topic in pairs)} == {topic for topic, _ in pairs} | {None}
    assert all(cosine >= 0 for cosine in cosines)


def test_no_topic_is_minus_one_and_topics_keep_words_and_label(
    learned: tuple[TopicModel, list[Batch], list[Assignment]], loaded: Any
) -> None:
    topics = learned[0].topics()
    info = loaded.get_topic_info().set_index("Topic")
    assert list(info.index) == [-1, *range(len(topics))]
    assert list(info.CustomName) == ["No topic", *(topic.label for topic in topics)]
    assert list(info.Groundswell) == ["none", *(str(topic.topic_id) for topic in topics)]
    assert int(info.Count.sum()) >= TALKS * 4
    for number, topic in enumerate(topics):
        assert [word for word, _ in loaded.get_topic(number) if word] == [word for word, _ in topic.words]
        said = [each.text for each in learned[0].representatives(topic.topic_id)]
        assert said and loaded.topic_aspects_["Quotes"][number] == said
        assert info.Quotes[number] == " ".join(said)


def test_words_of_new_documents_are_counted_as_in_the_model(loaded: Any) -> None:
    counted = loaded.vectorizer_model.transform(["Well, DOUGH and yeast; dough's nobody-knows zzz"])
    names = loaded.vectorizer_model.get_feature_names_out()
    assert {
        names[column]: int(count) for column, count in zip(counted.indices, counted.data, strict=True)
    } == {
        "dough": 1,
        "yeast": 1,
    }
    assert loaded.c_tf_idf_.shape == (len(loaded.topic_sizes_), len(names))


def test_what_topics_and_probabilities_are_about_can_be_said(
    learned: tuple[TopicModel, list[Batch], list[Assignment]],
) -> None:
    topics, later, said = learned
    texts = [text for batch in later for text in batch.texts]
    assigned = [(text, each.topic_id, each.probability) for text, each in zip(texts, said, strict=True)]
    made = to_bertopic(topics, assigned)
    assert [ours(made)[number] for number in made.topics_] == [each.topic_id for each in said]
    assert made.probabilities_.tolist() == [each.probability for each in said]
    assert list(made.get_document_info(texts).Document) == texts
    with pytest.raises(BadInput, match="no topic 999 now: "):
        to_bertopic(topics, [("a paragraph", 999, 1.0)])


def test_a_model_without_topics_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no topics yet: run it on some talks first"):
        save(model(), tmp_path)


@pytest.mark.long
def test_bertopic_s_plots_show_it(loaded: Any) -> None:
    figures = [
        loaded.visualize_barchart(),
        loaded.visualize_hierarchy(),
        loaded.visualize_heatmap(custom_labels=True),
        loaded.visualize_term_rank(),
    ]
    assert [type(figure).__name__ for figure in figures] == ["Figure"] * 4
    assert "Bread" in figures[2].to_json()


def test_the_folder_holds_no_code(
    learned: tuple[TopicModel, list[Batch], list[Assignment]], tmp_path: Path
) -> None:
    save(learned[0], tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}


def test_made_up_words_are_the_topics_words(loaded: Any) -> None:
    words = {word for word, _ in loaded.get_topic(0)}
    assert words & set(WORDS[SUBJECTS[0]].split())
