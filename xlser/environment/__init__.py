"""What xlser stands on: the machine, the libraries, and whether they work."""
