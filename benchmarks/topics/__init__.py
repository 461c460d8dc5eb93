"""Benchmarks of the topic model: one runnable file per claim."""
