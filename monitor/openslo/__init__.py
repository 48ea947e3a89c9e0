"""OpenSLO v1 documents: read into objectives, and written from them."""
