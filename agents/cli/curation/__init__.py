"""Commands for human decisions: codebook, corrections, reviews, glossary, curators."""
