"""A stored run -> sections as data -> one HTML file. Reads what was written down, never a model or a data set."""

from fertune.report.page import build_report, sections_of, write_report

__all__ = ["build_report", "sections_of", "write_report"]
