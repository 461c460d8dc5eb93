"""Settings, events, Kafka topics and broker, YouTube and feeds, durable state, and the ClickHouse store."""
