"""Validation of the codebook by a coded sample: drawing, sheets, codings."""
