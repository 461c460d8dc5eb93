"""Pages of operation: system, sources, alerts, accounts."""
