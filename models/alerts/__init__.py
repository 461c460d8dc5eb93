"""State of alerts over time: when a condition begins, and the hours in which nobody is disturbed."""
