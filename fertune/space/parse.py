"""From the mapping of a space file to a Space, with every fault and its path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fertune.errors import SpaceError, did_you_mean
from fertune.space.check import head_faults, param_faults, values_faults
from fertune.space.choices import Bool, Choice
from fertune.space.numbers import Float, Int
from fertune.space.param import Param
from fertune.space.space import Build, Space
from fertune.space.start import start_faults
from fertune.trial import Value

KINDS: dict[str, Callable[..., Param]] = {"int": Int, "float": Float, "choice": Choice, "bool": Bool}
KEYS = ("name", "summary", "model", "tuner", "fixed", "recipe", "params", "start")
PARAM_KEYS: dict[str, tuple[str, ...]] = {
    "int": ("low", "high", "step", "log"),
    "float": ("low", "high", "step", "log"),
    "choice": ("values",),
    "bool": (),
}
REQUIRED: dict[str, tuple[str, ...]] = {
    "int": ("low", "high"),
    "float": ("low", "high"),
    "choice": ("values",),
    "bool": (),
}
COMMON = ("type", "when")


@dataclass
class Parts:
    """What was read of a space: all that is legal in itself, and every fault.

    Attributes:
        params: Only those that could be read.
        faults: ``path: what`` lines.
    """

    name: str
    model: str
    tuner: str
    summary: str
    fixed: dict[str, Value]
    recipe: dict[str, Value]
    params: list[Param]
    faults: list[str]
    start: Sequence[Mapping[str, Value]] = ()

    def space(self, *, build: Build | None = None, source: str | None = None) -> Space:
        """The space; ``SpaceError`` with all faults."""
        if self.faults:
            raise SpaceError(f"space {self.name!r} is not legal", details=self.faults)
        return Space(
            self.name,
            self.params,
            model=self.model,
            tuner=self.tuner,
            summary=self.summary,
            fixed=self.fixed,
            recipe=self.recipe,
            start=self.start,
            build=build,
            source=source,
        )


def read_parts(given: object, *, name: str = "") -> Parts:
    """Take the mapping of a space file apart.

    Args:
        name: Taken where the mapping has no ``name``.
    """
    if not isinstance(given, Mapping):
        fault = f"params: {_short(given)} is not a mapping with 'params'" if given is not None else "the file is empty"
        return Parts(name, "conv", "random", "", {}, {}, [], [fault])
    faults = [
        f"{key}: is no key of a space{did_you_mean(str(key), KEYS)}; legal: {', '.join(KEYS)}"
        for key in given
        if key not in KEYS
    ]
    head: dict[str, Any] = {
        "name": given.get("name", name),
        "model": given.get("model", "conv"),
        "tuner": given.get("tuner", "random"),
        "summary": given.get("summary", ""),
    }
    faults += head_faults(**head)
    sections: dict[str, dict[str, Value]] = {}
    for section in ("fixed", "recipe"):
        values = given.get(section)
        faults += values_faults(section, {} if values is None else values)
        sections[section] = _legal(section, values)
    params, broken = _params(given, faults)
    faults += param_faults(params, sections["fixed"], sections["recipe"], broken)
    start = given.get("start") or ()
    faults += start_faults(start, params, sections["fixed"], sections["recipe"], sorted(broken))
    texts = {key: value if isinstance(value, str) else "" for key, value in head.items()}
    return Parts(
        name=texts["name"],
        model=texts["model"],
        tuner=texts["tuner"],
        summary=texts["summary"],
        fixed=sections["fixed"],
        recipe=sections["recipe"],
        params=params,
        faults=faults,
        start=start,
    )


def _legal(section: str, values: object) -> dict[str, Value]:
    if not isinstance(values, Mapping):
        return {}
    return {n: v for n, v in values.items() if not list(values_faults(section, {n: v}))}


def _params(given: Mapping[str, Any], faults: list[str]) -> tuple[list[Param], set[str]]:
    declared = given.get("params")
    if declared is None:
        faults.append("params: is missing; a space declares its parameters there")
        return [], set()
    if not isinstance(declared, Mapping):
        faults.append(f"params: {_short(declared)} is not a mapping of names to parameters")
        return [], set()
    params, broken = [], set()
    for name, fields in declared.items():
        found = list(_field_faults(fields))
        if not found:
            try:
                params.append(_param(str(name), fields))
                continue
            except SpaceError as error:
                found = [f".{line}" for line in error.details]
        broken.add(str(name))
        faults += [f"params.{name}{line}" for line in found]
    return params, broken


def _param(name: str, fields: Mapping[str, Any]) -> Param:
    own = {key: value for key, value in fields.items() if key != "type"}
    return KINDS[fields["type"]](name, **own)


def _field_faults(fields: object) -> Iterator[str]:
    """Keys that are missing or not known; values are the parameter's own matter."""
    kinds = ", ".join(KINDS)
    if not isinstance(fields, Mapping):
        yield f": {_short(fields)} is not a mapping such as {{type: int, low: 1, high: 4}}"
        return
    kind = fields.get("type")
    if kind is None:
        yield f".type: is missing; legal: {kinds}"
        return
    if not isinstance(kind, str) or kind not in KINDS:
        near = did_you_mean(kind, KINDS) if isinstance(kind, str) else ""
        yield f".type: {kind!r} is none of {kinds}{near}"
        return
    legal = COMMON + PARAM_KEYS[kind]
    for key in fields:
        if key not in legal:
            yield f".{key}: is no key of type {kind}{did_you_mean(str(key), legal)}; legal: {', '.join(legal)}"
    for key in REQUIRED[kind]:
        if key not in fields:
            yield f".{key}: is missing; type {kind} needs {' and '.join(REQUIRED[kind])}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
