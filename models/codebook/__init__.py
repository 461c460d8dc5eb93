"""The codebook: entries and themes, the file format, its state, decisions about it and their undo."""
