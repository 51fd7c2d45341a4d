"""Rows of a benchmark: what is trained, by whom, and whether all make the same updates."""
