"""discovery: sources → videos.seen."""
