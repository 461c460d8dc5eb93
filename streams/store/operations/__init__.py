"""Queries of the pipeline's operation: throughput, parked videos, reviews, deliveries, changes."""
