"""Security of the web application: access, sessions, rate limits, request bodies, HTTP rules."""
