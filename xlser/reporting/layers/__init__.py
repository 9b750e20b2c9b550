"""A sweep over an encoder's hidden states as one HTML page, as JSON and CSV, and as text for a terminal."""
