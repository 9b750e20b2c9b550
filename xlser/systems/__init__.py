"""What can be trained, and what reads it: a recipe, spelled in Python."""
