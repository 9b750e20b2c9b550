"""The audit of corpora as sentences, as text for a terminal and as one HTML page, made from its numbers alone."""
