"""Sections that only a stack has; one file each: its finding, its figure, its table."""
