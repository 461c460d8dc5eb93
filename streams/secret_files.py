"""Secret settings from files: each `GROUNDSWELL_X` that is a secret may be given as `GROUNDSWELL_X_FILE`.

Docker, Kubernetes and systemd hand over secrets as files, which neither `docker inspect` nor a process's
environment shows.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from streams.errors import Misconfigured

LONGEST = 64 * 1024
"""Bytes of a secret; a larger file is another one by mistake."""


class SecretFiles(PydanticBaseSettingsSource):
    """Source of the secret settings whose files the environment names.

    Raises:
        Misconfigured: the file cannot be read, or the setting is given as a value too.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the secret of a setting; None if its file is not named."""
        if field.annotation is not SecretStr:
            return None, field_name, False
        name = f"{self.config.get('env_prefix', '')}{field_name}".upper()
        path = os.environ.get(f"{name}_FILE", "")
        if not path:
            return None, field_name, False
        if os.environ.get(name):
            raise Misconfigured(f"{name} and {name}_FILE are both set", f"unset {name}: the file is safer")
        return _read(f"{name}_FILE", Path(path).expanduser()), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the secrets that files hold, by the name of the setting."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self._fields()}
        return {name: secret for name, secret in found.items() if secret is not None}

    def _fields(self) -> list[tuple[str, FieldInfo]]:
        return list(self.settings_cls.model_fields.items())


def _read(name: str, path: Path) -> str:
    """Return the content of a secret's file, without the line break that editors add."""
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
        text = content.decode()
    except OSError as error:
        raise Misconfigured(
            f"{name}={str(path)[:200]!r} cannot be read ({error.strerror})",
            "name a file that this user may read, or unset it",
        ) from error
    except ValueError as error:  # neither a decoding error nor a path may show what is in the file
        raise Misconfigured(f"{name}={str(path)[:200]!r} is not text", "save it as UTF-8") from error
    secret = text.rstrip("\r\n")
    if not secret or len(content) > LONGEST:
        what = "is empty" if not secret else f"has more than {LONGEST:,} bytes"
        raise Misconfigured(f"{name}={str(path)[:200]!r} {what}", "name the file of the secret")
    return secret
