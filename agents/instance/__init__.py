"""A running study on this machine: finding it, sending it events, its clock and GPUs."""
