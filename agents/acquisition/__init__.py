"""acquisition: videos.accepted and ingested files → audio.stored."""
