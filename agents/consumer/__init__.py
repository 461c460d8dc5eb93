"""The consumer loop that runs every agent: retries, dead letters, replay, and whose fault an error is."""
