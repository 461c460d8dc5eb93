"""Numbers of the study: prevalence, co-occurrence, genealogy, alerts, and the talks that they select."""
