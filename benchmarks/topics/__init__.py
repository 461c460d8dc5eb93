"""What the topic model is measured with: one runnable file per claim."""
