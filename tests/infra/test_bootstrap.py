"""How the three parts in which the tests run end as one."""

import pytest

from infra.bootstrap import INTERRUPTED, NO_TESTS, verdict


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([0, 0, 0], 0),
        ([0, 1, 0], 1),
        ([0, 0, -9], -9),
        ([NO_TESTS, 0, NO_TESTS], 0),
        ([NO_TESTS, NO_TESTS, NO_TESTS], NO_TESTS),
        ([0, NO_TESTS, 2], 2),
        ([INTERRUPTED], INTERRUPTED),
    ],
)
def test_one_part_that_fails_or_is_killed_is_a_failure_and_one_without_tests_is_none(
    codes: list[int], expected: int
) -> None:
    assert verdict(codes) == expected
