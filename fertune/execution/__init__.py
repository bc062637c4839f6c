"""Where jobs run: in warm child processes, or in this process."""

from fertune.execution.inline import InlineExecutor
from fertune.execution.make import make_executor
from fertune.execution.processes import ProcessExecutor
from fertune.execution.wire import Context

__all__ = ["Context", "InlineExecutor", "ProcessExecutor", "make_executor"]
