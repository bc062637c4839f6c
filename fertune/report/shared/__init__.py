"""Sections and numbers that both kinds of report use."""
