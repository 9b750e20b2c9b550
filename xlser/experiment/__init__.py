"""The whole road in one place: corpora and a recipe in, a run folder with its numbers out. What `xlser run` calls."""
