"""Operation of the pipeline in the store: throughput, parked videos, reviews, deliveries, changes."""
