"""acquisition: videos.accepted and files handed in → audio.stored."""
