"""Pages of talks: lists, one talk, search."""
