"""Databases remember the bytes of each migration: a changed one locks every study out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from streams.store.warehouse import MIGRATIONS

GOLDEN = Path(__file__).parents[1] / "golden" / "migrations.json"


def test_no_migration_that_exists_is_changed() -> None:
    now = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in MIGRATIONS.glob("*.sql")}
    known = json.loads(GOLDEN.read_text())
    changed = sorted(name for name, digest in known.items() if now.get(name) != digest)
    assert not changed, f"{changed} are in databases already, comments included: add a migration instead"
    assert not now.keys() - known.keys(), f"add the SHA-256 of the new migration to {GOLDEN.name}"
