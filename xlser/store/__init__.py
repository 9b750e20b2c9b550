"""Embeddings with ids and a hash, and their exact nearest neighbours."""
