"""The report of a transfer bench: a page over all cells, a page for each, tables for a paper."""
