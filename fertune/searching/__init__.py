"""The loop between who proposes and who runs, and what it needs."""

from fertune.searching.interrupt import Interrupts
from fertune.searching.loop import Search
from fertune.searching.observer import Observer
from fertune.searching.resume import Resumed, read_progress

__all__ = ["Interrupts", "Observer", "Resumed", "Search", "read_progress"]
