"""Kafka: the Faust app, the embedded broker, its administration, topics, and events as bytes."""
