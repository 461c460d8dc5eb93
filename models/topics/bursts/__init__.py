"""Term bursts: names that have begun to be said, in the window of recent videos."""
