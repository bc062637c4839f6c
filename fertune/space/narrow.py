"""A space with some parameters fixed and others in another range, as ``--set`` and ``--range`` ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fertune.errors import SpaceError, did_you_mean
from fertune.space.choices import Bool, Choice
from fertune.space.numbers import Float, Int
from fertune.space.param import Param, When
from fertune.space.ranges import Range, read_range, read_value
from fertune.space.setting import Setting
from fertune.trial import Value

if TYPE_CHECKING:
    from fertune.space.space import Space


def narrow(
    space: Space, set: Mapping[str, Any], ranges: Mapping[str, Any], settings: Mapping[str, Setting] | None = None
) -> tuple[Space, list[str]]:
    """The narrowed space, and what else had to change with it, a line each.

    A range replaces the parameter's own: it may be wider, as long as ``settings`` allow it. A parameter that is fixed
    is no parameter any more; what hung on it has its condition. Parameters that can never be active are left out, and
    so are configurations of ``start`` that no longer belong.

    Raises:
        SpaceError: With every fault.
    """
    known = settings or {}
    made: dict[str, Param] = {}
    values: dict[str, Value] = {}
    faults = [f"--range {name}: is in --set too" for name in ranges if name in set]
    for name, value in set.items():
        if name not in space.names and name not in {**space.fixed, **space.recipe} and name not in known:
            near = did_you_mean(name, [*space.names, *space.fixed, *space.recipe, *known])
            faults.append(f"--set {name}: space {space.name!r} knows no {name!r}{near}")
        elif name not in space.names:
            value = read_value(value) if isinstance(value, str) and not _is_text(known.get(name)) else value
            values[name] = known[name].coerce(value) if name in known else value
            faults += _fault(f"--set {name}", known[name].fault(value) if name in known else None)
        else:
            values[name] = _own(space[name], value)
            faults += _fault(f"--set {name}", _value_fault(space[name], values[name], known.get(name)))
    for name, asked in ranges.items():
        if name not in space.names:
            fixed = name in {**space.fixed, **space.recipe} or name in known
            what = (
                f"is fixed in space {space.name!r}; --set {name}=... changes it"
                if fixed
                else (f"space {space.name!r} has no parameter {name!r}{did_you_mean(name, space.names)}")
            )
            faults.append(f"--range {name}: {what}")
            continue
        try:
            made[name] = _ranged(space[name], read_range(asked), known.get(name))
        except SpaceError as error:
            faults += [f"--range {name}: {line}" for line in error.details or (error.message,)]
    if faults:
        raise SpaceError(f"space {space.name!r} cannot be narrowed so", details=faults)
    return _rebuilt(space, made, values)


def _fault(where: str, fault: str | None) -> list[str]:
    return [f"{where}: {fault}"] if fault else []


def _is_text(setting: Setting | None) -> bool:
    return setting is not None and isinstance(setting.default, str)


def _own(param: Param, value: Any) -> Any:
    """``value`` in the type that the parameter's values have; a text is read where they are no texts."""
    value = read_value(value) if isinstance(value, str) and not isinstance(param.first, str) else value
    return float(value) if isinstance(param.first, float) and type(value) is int else value


def _value_fault(param: Param, value: Any, setting: Setting | None) -> str | None:
    if setting is None or isinstance(param, Bool):
        return param.fault(value)
    return setting.fault(value)


def _ranged(param: Param, asked: Range, setting: Setting | None) -> Param:
    """The parameter with another range.

    Raises:
        SpaceError: What is not legal, in ``details``.
    """
    if isinstance(param, Bool):
        raise SpaceError(f"is true or false; --set {param.name}=true fixes it")
    made = _listed(param, asked) if asked.values else _between(param, asked)
    every = made.choices if isinstance(made, Choice) else (made.first, made.last)
    faults = []
    for value in every:
        if setting is not None:
            fault = setting.fault(value)
        elif isinstance(param, Choice):
            fault = param.fault(value)
        else:
            inside = type(value) is type(param.first) and param.first <= value <= param.last  # type: ignore[operator]
            fault = None if inside else f"{value!r} is not in {param.text}"
        if fault and fault not in faults:
            faults.append(fault)
    if faults:
        raise SpaceError("is not legal", details=faults)
    return made


def _listed(param: Param, asked: Range) -> Param:
    texts = isinstance(param.first, str)
    return Choice(param.name, [str(v) if texts else _own(param, v) for v in asked.values], param.when)


def _between(param: Param, asked: Range) -> Param:
    low, high = asked.low, asked.high
    if low is not None and low > high:
        raise SpaceError(f"the low end {low:g} is above the high end {high:g}")
    if isinstance(param, Choice):
        if isinstance(param.first, str):
            raise SpaceError(f"is {param.text}; give some of these, with commas")
        left = [v for v in param.choices if low <= v <= high]
        if not left:
            raise SpaceError(f"none of {', '.join(map(str, param.choices))} is in {low:g} to {high:g}")
        return Choice(param.name, left, param.when)
    log = asked.log if asked.log is not None else getattr(param, "log", False) and asked.step is None
    step = asked.step if asked.step is not None else None if log else getattr(param, "step", None)
    if isinstance(param, Float):
        return Float(param.name, low, high, step=step, log=log, when=param.when)
    return Int(param.name, low, high, step=1 if step is None else step, log=log, when=param.when)  # type: ignore[arg-type]


def _rebuilt(space: Space, made: Mapping[str, Param], values: Mapping[str, Value]) -> tuple[Space, list[str]]:
    notes: list[str] = []
    params: dict[str, Param] = {}
    conditions: dict[str, When | None] = {}
    for old in space.params:
        param = made.get(old.name, old)
        if param.when is not None:
            ((parent, wanted),) = param.when.items()
            if parent in conditions:
                when = conditions[parent] if values[parent] in wanted else {}
            else:
                when = {parent: tuple(v for v in wanted if parent in params and _has(params[parent], v))}
            if when is not None and not any(when.values()):
                notes.append(f"{old.name} is left out: it can never be active beside the other values")
                continue
            param = _with_when(param, when)
        if old.name in values:
            conditions[old.name] = param.when
        else:
            params[old.name] = param
    fixed = {n: v for n, v in space.fixed.items() if n not in values}
    recipe = {n: v for n, v in space.recipe.items() if n not in values}
    for name, value in values.items():
        (recipe if name in space.recipe else fixed)[name] = value
    for name in [n for n in params if params[n].when is None]:
        fixed.pop(name, None)
        recipe.pop(name, None)
    start = _start(space, params, values, notes)
    return replace(space, params=list(params.values()), fixed=fixed, recipe=recipe, start=start), notes


def _has(param: Param, value: Value) -> bool:
    return param.contains(param.settled(value))


def _with_when(param: Param, when: When | None) -> Param:
    if isinstance(param, Choice):
        return Choice(param.name, param.choices, when)
    return replace(param, when=when)  # type: ignore[type-var]


def _start(
    space: Space, params: Mapping[str, Param], values: Mapping[str, Value], notes: list[str]
) -> list[dict[str, Value]]:
    """Configurations of ``start`` without what is fixed now; those that have another value leave."""
    from fertune.space.start import start_faults

    kept: list[dict[str, Value]] = []
    for at, given in enumerate(space.start):
        other = [f"{n} {given[n]}, fixed to {v}" for n, v in values.items() if n in given and given[n] != v]
        rest = {n: v for n, v in given.items() if n not in values}
        faults = other or list(start_faults([rest], list(params.values()), {}, {})) if rest else other
        if faults:
            notes.append(f"start[{at}] is left out: {faults[0].removeprefix('start[0].')}")
        elif rest and rest not in kept:
            kept.append(rest)
    return kept
