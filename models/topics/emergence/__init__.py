"""Emergence of subjects: names that burst, topics that later talks confirm, each reported once."""
