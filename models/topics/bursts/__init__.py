"""Term bursts: names that have begun to be mentioned, in the window of recent videos."""
