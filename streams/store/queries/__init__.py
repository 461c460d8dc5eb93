"""Queries of the study: prevalence, co-occurrence, genealogy, alerts, and the talks that they count."""
