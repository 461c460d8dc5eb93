"""Several topics are excluded as one decision."""

import pytest

from models.codebook.commands import exclude_all
from models.codebook.state import CodebookState, TopicEntry, TopicRecord
from models.errors import BadInput


def book(*, out: int = 0) -> CodebookState:
    return CodebookState(
        {
            each: TopicRecord(
                TopicEntry(each, name=f"t{each}", retained=each != out, reason="old" * (each == out))
            )
            for each in (1, 2, 3)
        }
    )


def test_several_topics_are_excluded_with_one_reason() -> None:
    change = exclude_all(book(), [3, 1, 3], "small talk")
    assert (change.action, change.said) == ("exclude", "excluded: t3 (3), t1 (1): small talk")
    assert [(entry.topic_id, entry.retained, entry.reason) for entry in change.entries] == [
        (3, False, "small talk"),
        (1, False, "small talk"),
    ]


def test_what_is_excluded_already_keeps_its_reason() -> None:
    after = book(out=2).after(exclude_all(book(out=2), [2, 3], "small talk"))
    assert [after.topics[each].entry.reason for each in (1, 2, 3)] == ["", "old", "small talk"]


@pytest.mark.parametrize("topics", [[], [9], [2]])
def test_no_topic_or_no_change_is_refused(topics: list[int]) -> None:
    with pytest.raises(BadInput):
        exclude_all(book(out=2), topics, "small talk")
