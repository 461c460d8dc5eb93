"""Months of publication, written YYYY-MM: conversion to and from numbers, and ranges."""

from __future__ import annotations


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
