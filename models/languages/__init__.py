"""Language of a text, and the commonest words of languages."""
