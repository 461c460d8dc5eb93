"""Concepts: which topics of the codebook a paragraph is about, judged from several kinds of evidence.

A concept is a topic of the codebook: it has a definition, terms and examples, and stays what they say. A
cluster (`models.topics`) is found in the talks and wanders with them.
"""
