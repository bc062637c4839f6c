"""A stored run -> sections as data -> a page, a text, figures. Reads what was written down, no model and no data.

``build_report`` and ``write_report`` make the HTML page, ``build`` and ``write`` any format, ``Figures`` and ``Tables``
single parts, ``notebook_html`` what a notebook shows of a run.
"""

from fertune.report.export import FORMATS, build, document_of, write
from fertune.report.notebook import notebook_html
from fertune.report.page import build_report, write_report
from fertune.report.sections import sections_of
from fertune.report.views import Figures, FigureView, Tables, TableView

__all__ = [
    "FORMATS", "FigureView", "Figures", "TableView", "Tables", "build", "build_report", "document_of", "notebook_html",
    "sections_of", "write", "write_report",
]  # fmt: skip
