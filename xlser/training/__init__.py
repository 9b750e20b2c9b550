"""Recipes, pure training steps, and the one file that imports SpeechBrain."""
