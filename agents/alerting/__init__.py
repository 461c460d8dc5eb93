"""Alerts and digests: rules, destinations, quiet hours, and a delivery log that survives restarts."""
