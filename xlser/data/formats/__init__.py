"""Other toolkits' ways to write a corpus down, read into a manifest and written from one."""
