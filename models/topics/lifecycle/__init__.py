"""Parts of the life cycle of topics: registry, dormancy, novelty buffer, reservoir, and consolidation."""
