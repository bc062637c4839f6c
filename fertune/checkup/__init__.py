"""What this machine is and whether it can train: facts, findings with what to type, and the best split into workers."""

from fertune.checkup.facts import Disk, Facts, gather
from fertune.checkup.findings import Finding, findings
from fertune.checkup.measure import Measured, measure
from fertune.checkup.probe import ask_backend

__all__ = ["Disk", "Facts", "Finding", "Measured", "ask_backend", "findings", "gather", "measure"]
