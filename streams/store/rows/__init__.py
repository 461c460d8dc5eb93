"""Rows that queries of the store return, as TypedDicts: one field a column, one module a subject.

They type the Python code, document the API (openapi.json) and order the columns of its CSV. A test compares
them with the rows of a real study. Moments are UTC; a share and what resembles one is in [0, 1].
"""
