"""The codebook: entries and themes, its file, its state, decisions about it and their undo."""
