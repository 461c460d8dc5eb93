"""Near-duplicates: by metadata, by title, and by what is said."""
