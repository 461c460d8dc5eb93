"""Small durable state beside the log: blobs, the outbox, leases, parked videos, sources, attempts."""
