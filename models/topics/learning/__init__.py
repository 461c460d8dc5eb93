"""The steps of learning one video, over the whole state: births, consolidation, and the observers."""
