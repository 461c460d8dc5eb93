"""Append-only logs of people's decisions and of deliveries; the database is derived from them."""
