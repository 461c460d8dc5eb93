"""Names as numbers: the same in every process, which Python's own `hash` is not."""

import hashlib


def hashed(name: str) -> int:
    """The first 64 bits of a name's BLAKE2b.

    >>> hashed("talk-1") == hashed("talk-1"), hashed("talk-1").bit_length() <= 64
    (True, True)
    """
    return int.from_bytes(hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest())
