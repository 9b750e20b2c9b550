"""The transfer bench: every recipe trained once on every source, and scored on every target."""
