"""The life of topics: births, splits, merges, dormancy, and looks at the model as a whole."""
