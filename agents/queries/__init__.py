"""Views that the API, the page and the command line share, and the wording of their results."""
