"""Near-duplicates: by metadata, by title, and by transcript."""
