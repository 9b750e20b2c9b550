"""A finished run put to use: predictions, embeddings, and its encoder for other runtimes."""
