"""Where jobs run: in warm child processes, in this process, or on a Ray cluster."""

from fertune.execution.inline import InlineExecutor
from fertune.execution.limits import Limits
from fertune.execution.make import automatic_workers, check_where, make_executor
from fertune.execution.processes import ProcessExecutor
from fertune.execution.wire import Context

__all__ = [
    "Context",
    "InlineExecutor",
    "Limits",
    "ProcessExecutor",
    "automatic_workers",
    "check_where",
    "make_executor",
]
