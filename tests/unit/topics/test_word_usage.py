"""Words that describe a topic are used in several of its talks and sources, and are no persons' names."""

import doctest
from dataclasses import replace

import numpy as np
from made_up_talks import EMBEDDING_MODEL, WORDS, model, talk

from models.topics import Batch, TopicModel, TopicSettings, dump, load
from models.topics.naming.naming import name
from models.topics.online import person_names, words
from models.topics.online.vectorizer import TalkVectorizer
from models.topics.online.word_usage import FEWEST, WordUsage

BEES = set(WORDS["bees"].split())


def of_bees(number: int, more: str = "", **changed: object) -> Batch:
    """A talk of two paragraphs on bees, with more words in each."""
    said = talk(number, ["bees"] * 2)
    return replace(said, texts=tuple(f"{text} {more}" for text in said.texts), **changed)


def words_of(topics: TopicModel, topic_id: int = 2) -> list[str]:
    (found,) = (topic for topic in topics.topics() if topic.topic_id == topic_id)
    return [word for word, _ in found.words]


def learned(*batches: Batch) -> TopicModel:
    topics = model("bread")
    for batch in batches:
        topics.learn(batch)
    return topics


def test_the_examples_hold() -> None:
    assert doctest.testmod(person_names).failed == 0
    assert doctest.testmod(words).failed == 0


def test_a_word_of_a_single_talk_describes_no_topic() -> None:
    once = learned(*(of_bees(number, "jerk-ass " * 20 if number == 3 else "") for number in range(6)))
    often = learned(*(of_bees(number, "jerk-ass " * 20) for number in range(6)))
    assert "jerk-ass" not in words_of(once) and set(words_of(once)) == BEES
    assert "jerk-ass" in words_of(often)


def test_a_word_of_one_source_describes_no_topic_of_two() -> None:
    def shows(number: int) -> str:
        return "one show" if number % 2 else "the other"

    both = [of_bees(n, "intro " * 20 if n % 2 else "", source=shows(n)) for n in range(8)]
    assert "intro" not in words_of(learned(*both))
    assert "intro" in words_of(learned(*(replace(each, source="one show") for each in both)))


def test_a_topic_of_few_talks_has_words_of_two_of_them() -> None:
    topics = learned(of_bees(0, "alpha beta"), of_bees(1, "beta gamma"), of_bees(2, "gamma delta"))
    found = words_of(topics)
    assert len(found) >= FEWEST
    assert {"alpha", "delta"}.isdisjoint(found)


def test_names_of_persons_describe_no_topic() -> None:
    guest = [of_bees(n, "So McKenzie asked McKenzie . " * 9, people=("Ann McKenzie",)) for n in range(6)]
    named = [of_bees(n, "So Mike asked Ann Lovelace . Then Lovelace said, Mike, no." * 9) for n in range(6)]
    place = [of_bees(n, "So Jordania asked . " * 9) for n in range(6)]
    assert "mckenzie" not in words_of(learned(*guest))
    assert {"mike", "ann", "lovelace"}.isdisjoint(words_of(learned(*named)))
    assert "jordania" in words_of(learned(*place))


def test_one_form_of_a_word_is_enough() -> None:
    found = words_of(learned(*(of_bees(number, "agent agents agent " * 9) for number in range(6))))
    assert len({"agent", "agents"} & set(found)) == 1


def test_another_version_of_a_talk_is_the_same_talk() -> None:
    batches = [of_bees(number) for number in range(4)]
    again = [
        replace(
            of_bees(3, "jerk-ass " * 20), batch_id=f"again-{time}", paragraph_ids=(f"{time}a", f"{time}b")
        )
        for time in range(4)
    ]
    assert "jerk-ass" not in words_of(learned(*batches, *again))


def test_a_model_saved_before_usage_was_counted_goes_on() -> None:
    topics = learned(*(of_bees(number, "jerk-ass " * 20 if number == 3 else "") for number in range(6)))
    saved = load(dump(topics.to_snapshot()))
    for array in ("word_talks", "word_sources", "place_topics", "place_counts", "place_sources"):
        del saved.arrays[array]
    for stored in (*saved.meta["kept"], *saved.meta["sampled"]):  # type: ignore[union-attr,misc]
        del stored["source"], stored["at_end"]  # type: ignore[union-attr,arg-type,call-overload,index]
    earlier = TopicModel.from_snapshot(saved, TopicSettings(), EMBEDDING_MODEL)
    assert words_of(earlier) == words_of(topics)
    earlier.learn(of_bees(7))
    assert set(words_of(earlier)) == BEES


def test_usage_stays_with_its_word_when_words_are_pruned() -> None:
    vectorizer = TalkVectorizer(TopicSettings(vocabulary=20, protected_words=10, top_words=5))
    vectorizer.append({})
    for number in range(40):
        vectorizer.touched = np.array([1])
        said = f"honey honey wax rare{'abcdefghijklmnopqrstuvwxyz'[number % 26]}{number}"
        vectorizer.partial_fit([said]).update_bow([said])
        vectorizer.note(1, said.split(), f"talk-{number}", f"show-{number % 2}")
    assert len(vectorizer.words) < 30
    columns = [vectorizer.vocabulary_[word] for word in ("honey", "wax")]
    talks, sources = vectorizer.usage.of(1, columns)[0]
    assert talks.bit_count() > 15 and sources.bit_count() == 2
    assert vectorizer.usage.of(1, columns)[1] == (talks, sources)


def test_usage_sleeps_and_wakes_with_its_topic() -> None:
    usage = WordUsage.none(2, 4)
    usage.note(1, [0, 2], "one", "show")
    usage.append()
    usage.put(2, [0, 2], usage.of(1, [0, 2]))
    usage.remove(1)
    assert usage.of(1, [0, 1, 2])[0] == usage.of(1, [2])[0] != usage.of(1, [1])[0] == (0, 0)


def test_a_name_is_of_no_person_whose_name_ends_in_s() -> None:
    said = "We asked Chris about hives. Chris knew hives. Then Chris left the hives."
    assert name([("chris", 0.2), ("hives", 0.1)], [(video, said) for video in "abc"]).startswith("hives")
