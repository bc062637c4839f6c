"""The loop between who proposes and who runs, and what it needs."""

from fertune.search.interrupt import Interrupts
from fertune.search.loop import Search
from fertune.search.observer import Observer
from fertune.search.resume import Resumed, read_progress

__all__ = ["Interrupts", "Observer", "Resumed", "Search", "read_progress"]
