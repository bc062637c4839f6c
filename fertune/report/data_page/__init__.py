"""A data set as one HTML page: counts, samples, brightness, flat and identical pictures."""

from fertune.report.data_page.build import build_data_page, write_data_page

__all__ = ["build_data_page", "write_data_page"]
