"""Sections that only a search has; one file each: its finding, its figure, its table."""
