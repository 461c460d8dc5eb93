"""Who is told what, and when: rules, destinations, quiet hours, digests, and deliveries that last."""
