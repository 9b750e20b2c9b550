"""Reads a card and a folder, gives rows."""
