"""Spaces by name, path or object, checked against what the model families and the recipe know."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fertune.errors import SpaceError
from fertune.models.catalog import FAMILIES
from fertune.space import Setting, Space, load_space
from fertune.space.narrow import narrow
from fertune.training.recipe import RECIPE


def known_settings(family: str) -> Mapping[str, Setting] | None:
    """Every setting that a space of this family may name; None for a user's own build function, which may name any."""
    if family not in FAMILIES:
        return None
    return {s.name: s for s in (*FAMILIES[family].settings, *RECIPE)}


def narrowed_space(
    space: Space, set: Mapping[str, Any] | None, ranges: Mapping[str, Any] | None
) -> tuple[Space, list[str]]:
    """The space with ``set`` fixed and ``ranges`` replaced, and what else had to change with it.

    Raises:
        SpaceError: With every fault.
    """
    if not set and not ranges:
        return space, []
    known = known_settings(space.model) or {s.name: s for s in RECIPE}
    return narrow(space, set or {}, ranges or {}, known)


def find_space(space: str | Path | Space) -> Space:
    """A checked space.

    Args:
        space: A shipped name (``leaky_cnn``), a path of a .yaml or .py file, or a Space.

    Raises:
        SpaceError: No such space, or faults: all of them at once.
    """
    if isinstance(space, Space):
        return space
    return load_space(space, settings=known_settings)


def pickled_build(space: Space) -> bytes | None:
    """The user's build function by value, for the child; None for shipped families.

    Raises:
        SpaceError: It cannot be pickled (it holds an open file, a model, ...).
    """
    if space.build is None:
        return None
    import cloudpickle

    module = sys.modules.get(getattr(space.build, "__module__", ""))
    by_value = module is not None and module.__name__ != "__main__" and not _installed(module.__name__)
    try:
        if by_value and module is not None:
            cloudpickle.register_pickle_by_value(module)
        return bytes(cloudpickle.dumps(space.build))
    except Exception as error:  # whatever an object in the closure raises when it is pickled
        raise SpaceError(
            f"the build function of space {space.name} cannot be sent to a child process: {error}",
            help="make models, layers and files inside build(), not outside of it",
        ) from None
    finally:
        if by_value and module is not None:
            cloudpickle.unregister_pickle_by_value(module)


def _installed(module: str) -> bool:
    """Whether a fresh Python can import this module by its name: then it travels by name."""
    import importlib.util

    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None and "site-packages" in spec.origin


def source_text(space: Space) -> str | None:
    """What a run keeps of a user's own build function: its source, for people."""
    if space.source is not None:
        return space.source
    if space.build is None:
        return None
    try:
        return inspect.getsource(space.build)
    except (OSError, TypeError):
        return None
