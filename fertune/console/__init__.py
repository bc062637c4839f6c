"""What a person sees while something runs, and when it has ended. The only room that knows rich.

``choose_console`` gives the observer that fits the streams; the other functions print one finished thing each. All
outside text is escaped on its way out, no line is wider than the terminal, and without a terminal there is no escape
sequence but colour, and that only under ``FORCE_COLOR``.
"""

from fertune.console.bundle import show_bundle
from fertune.console.choose import QuietConsole, choose_console
from fertune.console.live import LiveConsole
from fertune.console.notebook import NotebookConsole
from fertune.console.plain import PlainConsole
from fertune.console.predictions import predictions_table, predictions_warnings
from fertune.console.problems import print_bug, print_error, print_interrupted
from fertune.console.show import show_summary, summary_text
from fertune.console.spaces import space_details, spaces_table

__all__ = [
    "LiveConsole",
    "NotebookConsole",
    "PlainConsole",
    "QuietConsole",
    "choose_console",
    "predictions_table",
    "predictions_warnings",
    "print_bug",
    "print_error",
    "print_interrupted",
    "show_bundle",
    "show_summary",
    "space_details",
    "spaces_table",
    "summary_text",
]
