"""Configurations that a search tries first: ``start`` of a space, whole ones or parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fertune.errors import did_you_mean
from fertune.space.numbers import Float
from fertune.space.param import Param
from fertune.trial import Params, Value


def start_faults(
    start: object,
    params: Sequence[Param],
    fixed: Mapping[str, Value],
    recipe: Mapping[str, Value],
    broken: Sequence[str] = (),
) -> Iterator[str]:
    """Why ``start`` is no list of configurations, or of parts of them, as ``start[1].dropout: what`` lines.

    Args:
        broken: Names of declared parameters that could not be read; a value of one is not a fault of its own.
    """
    if isinstance(start, (str, Mapping)) or not isinstance(start, Sequence):
        yield f"start: {start!r} is not a list of configurations, such as [{{dropout: 0.3}}]"
        return
    by_name = {p.name: p for p in params}
    seen: list[dict[str, Any]] = []
    for at, given in enumerate(start):
        if not isinstance(given, Mapping):
            yield f"start[{at}]: {given!r} is not a mapping of parameters to values"
            continue
        faults = list(_faults(given, by_name, {**fixed, **recipe}, broken))
        yield from (f"start[{at}]{fault}" for fault in faults)
        settled = settle(given, by_name)
        if not faults and settled in seen:
            yield f"start[{at}]: is the same as start[{seen.index(settled)}]"
        seen.append(settled)


def _faults(
    given: Mapping[Any, Any], by_name: Mapping[str, Param], fixed: Mapping[str, Value], broken: Sequence[str]
) -> Iterator[str]:
    if not given:
        yield ": names no parameter"
    settled = settle(given, by_name)
    for name, value in settled.items():
        if name in broken:
            continue
        param = by_name.get(name)
        if param is None:
            near = did_you_mean(str(name), by_name)
            yield f".{name}: {'is fixed, not a parameter' if name in fixed else f'is no parameter{near}'}"
        elif fault := param.fault(value):
            yield f".{name}: {fault}"
        elif param.when is not None:
            ((parent, values),) = param.when.items()
            legal = " or ".join(str(v).lower() if isinstance(v, bool) else str(v) for v in values)
            if parent not in settled:
                yield f".{name}: needs {parent} beside it; active where {parent} is {legal}"
            elif settled[parent] not in values and parent in by_name and by_name[parent].contains(settled[parent]):
                yield f".{name}: is inactive while {parent} is {settled[parent]}; active where it is {legal}"


def settle(given: Mapping[Any, Any], by_name: Mapping[str, Param]) -> dict[str, Any]:
    """The same with whole numbers as floats where a parameter has floats."""
    return {
        name: _own_type(by_name[name], value) if name in by_name else value
        for name, value in sorted(given.items(), key=lambda item: str(item[0]))
    }


def _own_type(param: Param, value: Any) -> Any:
    if isinstance(param, Float) and type(value) is int:
        return float(value)
    return param.settled(value) if isinstance(value, (bool, int, float, str)) else value


def fill(params: Sequence[Param], given: Params, choose: Callable[[Param], Value]) -> dict[str, Value]:
    """The whole configuration of a part: ``choose`` is asked for each active parameter that it does not name."""
    whole: dict[str, Value] = {}
    for param in params:
        if param.active(whole):
            whole[param.name] = given[param.name] if param.name in given else choose(param)
    return whole
