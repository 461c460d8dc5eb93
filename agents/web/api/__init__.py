"""JSON and CSV API: read and write endpoints, their responses and schemas."""
