"""The consumer loop that runs every agent: retries, dead letters, replay, and error attribution."""
