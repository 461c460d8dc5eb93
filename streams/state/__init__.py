"""Small durable state outside Kafka: blobs, the outbox, leases, parked videos, sources, attempts."""
