"""The version of this package: provenance, and nothing else (see `xlser.fileformats`)."""

__version__ = "0.2.0"
