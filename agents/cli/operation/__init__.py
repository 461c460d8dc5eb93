"""Commands that operate a study: run, sources, alerts, dead letters."""
