"""Everything that the API, the page and the command line can ask, and how it is worded."""
