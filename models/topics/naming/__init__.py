"""Names of topics, and the hierarchy in which they would merge."""
