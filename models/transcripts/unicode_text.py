"""Valid text: can be encoded and tokenized, whatever a file or a recogniser wrote.

The same rule as `streams.intake.text`, which this package must not import; a test keeps the two equal.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


def valid(text: str) -> str:
    """Return valid Unicode without control characters; half of a surrogate pair becomes U+FFFD.

    Example:
        >>> valid("we run \\ud83d agents\\0")
        'we run � agents'
    """
    if _SURROGATE.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub("", text)


Text = Annotated[str, AfterValidator(valid)]
