"""Append-only logs of what people decided and what was delivered; the database follows them."""
