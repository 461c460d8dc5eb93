"""Online learning: BERTopic's `partial_fit`, its vectorizer, centroids, and what of a talk is learned."""
