"""The guide's pages, the reference that is made from the code, and the site that both become."""
