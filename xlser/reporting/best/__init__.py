"""The page, the text and the model card of `xlser best`."""
