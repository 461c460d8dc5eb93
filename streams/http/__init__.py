"""HTTP client for untrusted addresses: guarded against internal addresses, bounded in time and size."""
