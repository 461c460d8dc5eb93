"""Replication packages: everything behind a study's numbers as files."""
