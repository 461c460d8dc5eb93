"""A running study on this machine: how to find it and send it events; its clock and GPUs."""
