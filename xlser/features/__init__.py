"""One extractor a file, one content-addressed cache for all of them."""
