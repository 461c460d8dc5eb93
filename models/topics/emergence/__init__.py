"""Emergence of subjects: bursts of names, and topics that later talks confirm; each is reported once."""
