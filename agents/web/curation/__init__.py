"""Decisions of curators and reviewers, made alike by the forms of the pages and by the write API."""
