"""A page and a JSON API for one model, on one's own machine: nothing leaves it, and nothing is kept."""
