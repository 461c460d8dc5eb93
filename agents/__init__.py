"""Verbs: one module per agent, the runtime, the command line, the web."""
