"""The model card of a trained model: README.md as the Hugging Face hub reads it."""
