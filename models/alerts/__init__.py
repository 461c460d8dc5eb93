"""State of alerts over time: when something begins, and hours in which nobody is disturbed."""
