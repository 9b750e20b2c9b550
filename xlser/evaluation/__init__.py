"""Numbers in, numbers out: metrics, intervals over speakers, and the classifiers that read an embedding."""
