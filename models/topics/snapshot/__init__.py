"""Snapshots: the topic model as arrays and JSON, and the ledger of learned batches."""
