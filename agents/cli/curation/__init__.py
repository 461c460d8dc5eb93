"""Commands with which people decide: codebook, corrections, reviews, glossary, curators."""
