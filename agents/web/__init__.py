"""The page, its JSON twins, and every process's health and metrics."""
