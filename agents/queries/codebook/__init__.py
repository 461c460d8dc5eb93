"""Views about places of topics: parts of others, themes, small talk."""
