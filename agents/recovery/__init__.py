"""Recovery: finds what the log or the database has lost, and sends it again."""
