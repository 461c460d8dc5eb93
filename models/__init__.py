"""Mathematics without I/O of its own: speech, transcripts, embeddings, relevance, duplicates, online topics."""
