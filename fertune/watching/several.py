"""Several observers as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fertune.searching.observer import Observer


class Several(Observer):
    """Hands every call to each of them, in order.

    Args:
        observers: Those that are told.
    """

    def __init__(self, observers: Iterable[Observer]) -> None:
        self.observers = tuple(observers)


def _to_all(name: str) -> Callable[..., None]:
    def call(self: Several, *args: Any, **more: Any) -> None:
        for observer in self.observers:
            getattr(observer, name)(*args, **more)

    call.__name__ = name
    call.__doc__ = getattr(Observer, name).__doc__
    return call


for _name in [name for name in vars(Observer) if not name.startswith("_")]:
    setattr(Several, _name, _to_all(_name))
