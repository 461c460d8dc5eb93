"""storage: every event → ClickHouse."""
