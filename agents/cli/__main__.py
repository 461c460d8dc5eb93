"""`python -m agents.cli` is `groundswell`."""

from agents.cli import main

main()
