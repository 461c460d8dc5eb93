"""Life cycle of topics: births, splits, merges, dormancy, and consolidation of the model as a whole."""
