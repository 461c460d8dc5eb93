"""Web application: pages, their JSON twins, and the health and metrics of every process."""
