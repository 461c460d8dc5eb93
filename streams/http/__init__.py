"""HTTP to addresses that others name: guarded against internal addresses, bounded in time and size."""
