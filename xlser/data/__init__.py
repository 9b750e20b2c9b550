"""Manifest, audio reading, dimensional scales, splits and batches."""
