"""screening: videos.seen → videos.accepted, rejected or parked."""
