"""Mathematics: speech, transcripts, embeddings, relevance, duplicates and online topics."""
