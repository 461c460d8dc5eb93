"""Hashes of names that are the same in every process, unlike Python's own `hash`."""

import hashlib


def hashed(name: str) -> int:
    """Return the 64-bit BLAKE2b hash of a name.

    >>> hashed("talk-1") == hashed("talk-1"), hashed("talk-1").bit_length() <= 64
    (True, True)
    """
    return int.from_bytes(hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest())


def digest(text: str) -> str:
    """Return a short name of a text: its BLAKE2b hash as 16 hexadecimal digits."""
    return f"{hashed(text):016x}"
