"""Cells of CSV files that people open with a spreadsheet program."""

from __future__ import annotations

import json
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of a cell that make a spreadsheet run it as a formula."""


def cell(value: Any) -> Any:
    """Return a value for a cell: nested ones as JSON, formulas with an apostrophe in front.

    Example:
        >>> cell("=1+1"), cell(-0.5), cell(["x"])
        ("'=1+1", -0.5, '["x"]')
    """
    if isinstance(value, bool | dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def unescaped(text: str) -> str:
    """Return the text that `cell` has put an apostrophe in front of.

    Example:
        >>> unescaped(cell("-abc")), unescaped("'quoted'")
        ('-abc', "'quoted'")
    """
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
