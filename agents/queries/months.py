"""Months of publication, written YYYY-MM: as numbers, in ranges, and in quarters and years."""

from __future__ import annotations

from typing import Literal

By = Literal["month", "quarter", "year"]
"""Unit of a column. A video is published in one month, so monthly counts add up to those of longer units."""


def number(month: str) -> int:
    """Return the number of a month; consecutive months have consecutive numbers.

    Example:
        >>> number("2025-01") - number("2024-12")
        1
    """
    return int(month[:4]) * 12 + int(month[5:]) - 1


def named(number: int) -> str:
    """Return the month, YYYY-MM, with this number.

    Example:
        >>> named(number("2024-12") + 1)
        '2025-01'
    """
    return f"{number // 12:04}-{number % 12 + 1:02}"


def every(first: str, last: str) -> list[str]:
    """Return every month from the first to the last, both included.

    Example:
        >>> every("2024-12", "2025-01")
        ['2024-12', '2025-01']
    """
    return [named(each) for each in range(number(first), number(last) + 1)]


def part(month: str, by: By) -> str:
    """Return the column that a month, 'YYYY-MM', belongs to.

    Example:
        >>> part("2025-03", "quarter"), part("2025-04", "quarter"), part("2025-04", "year")
        ('2025-Q1', '2025-Q2', '2025')
    """
    match by:
        case "month":
            return month
        case "quarter":
            return f"{month[:4]}-Q{(int(month[5:]) + 2) // 3}"
        case "year":
            return month[:4]
