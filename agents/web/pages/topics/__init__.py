"""Pages of topics and themes: lists, one topic, trends, comparisons."""
