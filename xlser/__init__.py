"""Cross-lingual speech emotion recognition: learn on a language that has data, carry it to one that has little."""

__version__ = "0.1.0"
