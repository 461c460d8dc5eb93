"""What has changed about a topic: its share, words and centre; and whether the model still fits the talks."""
