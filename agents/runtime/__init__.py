"""The runtime: the wiring of agents, the process that runs them, its health, and the doctor."""
