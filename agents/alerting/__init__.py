"""Alerts and digests: rules, destinations, quiet hours, and deliveries that survive a restart."""
