"""Kafka: the Faust app, the embedded broker, broker administration, topics, and the events' wire format."""
