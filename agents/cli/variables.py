"""Errors in the environment variables that hold the settings, explained with cause and cure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from streams.errors import Misconfigured
from streams.settings import Settings

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

PREFIX = "GROUNDSWELL_"
REFERENCE = "docs/reference/settings.md"
ALIKE = 0.8
"""Similarity to a setting's name (difflib, 0 to 1) from which a variable is reported as misspelt."""


def refused(error: ValidationError) -> Misconfigured:
    """Return the error to raise for the first value that is not valid; its cure says what the setting is."""
    first = error.errors(include_url=False)[0]
    cause = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:  # it is about several settings, and names them
        return Misconfigured(f"the settings do not fit together ({cause})", f"see {REFERENCE}")
    name = str(first["loc"][0])
    described = (Settings.model_fields[name].description or "").partition(". ")[0].rstrip(".")
    return Misconfigured(
        f"{PREFIX}{name.upper()} is invalid ({cause})",
        f'correct or unset it; it is documented in {REFERENCE}: "{described}"',
    )


def not_json(error: SettingsError) -> Misconfigured:
    """Return the error to raise for a list that is not written as JSON."""
    named = re.search(r'field "(\w+)"', str(error))
    name = f"{PREFIX}{named[1].upper()}" if named else "a setting"
    return Misconfigured(f"{name} is not JSON", f"""write it as a list, such as {name}='["en"]'""")


def misspelt(names: Iterable[str]) -> dict[str, str]:
    """Return the variables that are no settings but are named almost like one, each with that one.

    Other variables with the prefix are left alone: they may be meant for another program.

    Example:
        >>> misspelt(["GROUNDSWELL_STUDDY", "GROUNDSWELL_STUDY", "GROUNDSWELL_TEST_DATA", "STUDDY"])
        {'GROUNDSWELL_STUDDY': 'GROUNDSWELL_STUDY'}
    """
    from difflib import get_close_matches

    ours = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    bare = {name.removeprefix(PREFIX): name for name in ours}
    near = {
        name: get_close_matches(name.removeprefix(PREFIX).upper(), bare, 1, ALIKE)
        for name in names
        if name.startswith(PREFIX) and name.removesuffix("_FILE") not in ours
    }
    return {name: bare[found[0]] for name, found in near.items() if found}
