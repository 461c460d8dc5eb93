"""Entry point: `python -m agents.cli` runs `groundswell`."""

from agents.cli import main

main()
