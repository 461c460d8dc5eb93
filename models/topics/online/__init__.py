"""Online learning: BERTopic's `partial_fit`, its vectorizer, centroids, and the selection of paragraphs."""
