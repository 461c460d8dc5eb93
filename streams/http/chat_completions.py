"""Client of OpenAI's chat completions API, which most servers of language models speak."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from streams.errors import DataError, Unavailable

ANSWER_LIMIT = 256 * 1024
"""Maximum bytes of an answer that are read."""
WAIT_S = 60.0
"""How long a complete answer may take (seconds)."""
_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|$)", re.DOTALL | re.IGNORECASE)
_OF_THIS_REQUEST = frozenset({400, 413, 422})
"""Statuses that may be about what was asked: too long, or against a rule of the endpoint."""


class UnusableAnswer(DataError):  # noqa: N818 - as its base
    """A request got no usable answer, but another one to the same endpoint may get one."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")
    content: str | None = None


class _Choice(BaseModel):
    model_config = ConfigDict(extra="ignore")
    message: _Message


class _Completion(BaseModel):
    model_config = ConfigDict(extra="ignore")
    choices: list[_Choice]


class ChatCompletions:
    """The labeller's endpoint: OpenAI, Ollama, vLLM, llama.cpp, a gateway.

    Args:
        url: the base address, such as `http://localhost:11434/v1`; `/chat/completions` is added.
        model: the endpoint's name of the model.
        key: the bearer token; empty for none. It is sent only to this url: redirects are not followed.
        wait_s: how long a complete answer may take (seconds).
    """

    def __init__(self, url: str, model: str, key: SecretStr, wait_s: float = WAIT_S) -> None:
        self._url = f"{url.rstrip('/')}/chat/completions"
        self._model = model
        self._key = key
        self._wait_s = wait_s

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model

    def answer(self, task: str, given: Any) -> str:
        """Ask once and return the raw answer, which is untrusted text. Blocks.

        Args:
            task: what to do, as the system's message.
            given: what to do it with: JSON, as the user's message. Texts of strangers belong here.

        Raises:
            Unavailable: the request failed and can be retried later.
            UnusableAnswer: this request was refused, or its answer is too long.
            DataError: the endpoint refuses every request, and a retry would not help.
        """
        asked = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": task},
                {"role": "user", "content": json.dumps(given, ensure_ascii=False)},
            ],
        }
        status, content = self._post(asked)
        self._check(status, content)
        if len(content) > ANSWER_LIMIT:
            raise UnusableAnswer(
                f"the answer of the labeller at {self._url} is not a chat completion of at most "
                f"{ANSWER_LIMIT // 1024} KiB",
                "try another GROUNDSWELL_LABELLER_MODEL",
            )
        try:
            return _Completion.model_validate_json(content).choices[0].message.content or ""
        except (ValidationError, IndexError) as error:
            raise DataError(
                f"the answer of the labeller at {self._url} is not a chat completion",
                "set GROUNDSWELL_LABELLER_URL to an OpenAI-compatible base, such as http://localhost:11434/v1",
            ) from error

    def _post(self, asked: Any) -> tuple[int, bytes]:
        """Return the status and the answer, or its beginning if it is longer than the limit."""
        key = self._key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        content, end = b"", time.monotonic() + self._wait_s
        try:
            with httpx.stream(
                "POST", self._url, json=asked, headers=headers, timeout=self._wait_s
            ) as response:
                for part in response.iter_bytes():
                    content += part
                    if len(content) > ANSWER_LIMIT:
                        break
                    if time.monotonic() > end:
                        raise httpx.ReadTimeout(f"no complete answer within {self._wait_s:.0f} s")
                return response.status_code, content
        except httpx.InvalidURL as error:
            raise DataError(
                f"the labeller's address {self._url} is invalid ({error})",
                "set GROUNDSWELL_LABELLER_URL to a base such as http://localhost:11434/v1",
            ) from error
        except httpx.HTTPError as error:
            raise Unavailable(
                f"the labeller at {self._url} does not answer ({type(error).__name__}: {error})",
                "check that it runs, or unset GROUNDSWELL_LABELLER_URL",
            ) from error

    def _check(self, status: int, content: bytes) -> None:
        if 200 <= status < 300:
            return
        said = " ".join(content[:200].decode(errors="replace").split())
        cause = f"the labeller at {self._url} answers {status} ({said})"
        if status in (408, 409, 425, 429) or status >= 500:
            raise Unavailable(cause, "wait, or use another endpoint")
        if status in _OF_THIS_REQUEST:
            raise UnusableAnswer(cause, "set GROUNDSWELL_LABELLER_URL and _MODEL")
        cures = {
            401: "set GROUNDSWELL_LABELLER_KEY",
            403: "set GROUNDSWELL_LABELLER_KEY to a key that may use this model",
            404: "set GROUNDSWELL_LABELLER_MODEL to a model that it has, and _URL to its base (as …/v1)",
        }
        raise DataError(cause, cures.get(status, "set GROUNDSWELL_LABELLER_URL and _MODEL"))


def without_thoughts(said: str) -> str:
    """Return an answer without what a reasoning model thought aloud before it.

    Example:
        >>> without_thoughts("<think>They speak of indexes.</think>Vector search")
        'Vector search'
    """
    return _THOUGHT.sub("", said)
