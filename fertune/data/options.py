"""How a source is read, where its bytes alone do not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from fertune.errors import ConfigError, did_you_mean

LARGEST_SIDE = 4096


@dataclass(frozen=True)
class ReadOptions:
    """How a source is read.

    Attributes:
        image_size: (height, width) that every picture is brought to, 1 to 4,096 pixels each; None keeps the pictures'
            own size, which must then be one and the same.
        allow_pickle: Whether an npy file with Python objects may be unpickled. Unpickling runs code of whoever wrote
            the file, so no run and no data set remembers it: it is given anew wherever it is needed.
        skip_bad_rows: Leave out rows and pictures that cannot be read, and list them in the notes, instead of refusing
            the source.
        path_column, label_column: Of a table of pictures; None for ``path`` and ``label``.
        group_column: Of a table: rows with the same value (a person, an actor, a camera) are never parted by folds.
    """

    image_size: tuple[int, int] | None = None
    allow_pickle: bool = False
    skip_bad_rows: bool = False
    path_column: str | None = None
    label_column: str | None = None
    group_column: str | None = None

    def __post_init__(self) -> None:
        if self.image_size is None:
            return
        given = (self.image_size, self.image_size) if isinstance(self.image_size, int) else tuple(self.image_size)
        if len(given) != 2 or not all(
            isinstance(n, int) and not isinstance(n, bool) and 1 <= n <= LARGEST_SIDE for n in given
        ):
            raise ConfigError(
                f"image_size: {self.image_size!r} is no size; legal: a whole number from 1 to {LARGEST_SIDE:,}, or "
                "(height, width)",
                help="--image-size 48, or --image-size 64x48 (width x height)",
            )
        object.__setattr__(self, "image_size", given)

    @classmethod
    def of(cls, given: ReadOptions | Mapping[str, Any] | None) -> ReadOptions:
        """Itself, or made of a mapping (as ``to_json`` writes it), or the defaults.

        Raises:
            ConfigError: An unknown name, or a value that is not legal.
        """
        if given is None:
            return cls()
        if isinstance(given, ReadOptions):
            return given
        known = [f.name for f in fields(cls)]
        for name in given:
            if name not in known:
                raise ConfigError(
                    f"no reading option named {name!r}; legal: {', '.join(known)}{did_you_mean(str(name), known)}"
                )
        size = dict(given).get("image_size")
        return cls(**{**given, **({"image_size": tuple(size)} if isinstance(size, list) else {})})

    def over(self, stored: Mapping[str, Any] | None) -> ReadOptions:
        """These over what a run stored; consent to unpickle is never taken from a run.

        Raises:
            ConfigError: As ``of``.
        """
        return ReadOptions.of({**(stored or {}), **self.to_json(), "allow_pickle": self.allow_pickle})

    def to_json(self) -> dict[str, Any]:
        """What differs from the defaults, as plain values; ``allow_pickle`` is left out."""
        default = ReadOptions()
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "allow_pickle"}
        values = {name: value for name, value in values.items() if value != getattr(default, name)}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
