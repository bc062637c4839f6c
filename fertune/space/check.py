"""What must hold between the parts of a space. Every check gives all its faults as ``path: what`` lines."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from fertune.errors import did_you_mean
from fertune.space.choices import Bool, Choice
from fertune.space.numbers import Float, Int
from fertune.space.param import Param
from fertune.space.setting import Setting
from fertune.trial import TUNERS, Value

CUSTOM = "custom"
"""The model of a space whose user brings a ``build``."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SPACE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


def head_faults(name: object, model: object, tuner: object, summary: object) -> Iterator[str]:
    """Faults of the four texts at the head of a space."""
    if not isinstance(name, str) or not _SPACE_NAME.match(name):
        yield f"name: {name!r} is not a name; use letters, digits, '_', '-' and '.'"
    if not isinstance(model, str) or not model:
        yield f"model: {model!r} is not the name of a model family"
    if not isinstance(tuner, str) or tuner not in TUNERS:
        near = did_you_mean(tuner, TUNERS) if isinstance(tuner, str) else ""
        yield f"tuner: {tuner!r} is none of {', '.join(TUNERS)}{near}"
    if not isinstance(summary, str):
        yield f"summary: {summary!r} is not a text"


def values_faults(section: str, values: object) -> Iterator[str]:
    """Faults of ``fixed`` or ``recipe`` as such: names and plain values."""
    if not isinstance(values, Mapping):
        yield f"{section}: {values!r} is not a mapping of names to values"
        return
    for name, value in values.items():
        if not isinstance(name, str) or not _NAME.match(name):
            yield f"{section}: {name!r} is not a name of letters, digits and '_'"
        elif not isinstance(value, (bool, int, float, str)):
            yield f"{section}.{name}: {value!r} is not a number, a text, true or false"
        elif isinstance(value, float) and not math.isfinite(value):
            yield f"{section}.{name}: {value!r} is not finite"


def param_faults(
    params: Sequence[Param], fixed: Mapping[str, Value], recipe: Mapping[str, Value], broken: Collection[str] = ()
) -> Iterator[str]:
    """Names, parents, and names given in two places.

    Args:
        broken: Names of declared parameters that could not be read; a child of one is not a fault of its own.
    """
    for both in sorted(set(fixed) & set(recipe)):
        yield f"recipe.{both}: stands in fixed too; leave one of the two out"
    names = [p.name for p in params]
    seen: dict[str, Param] = {}
    for param in params:
        path = f"params.{param.name}"
        if not isinstance(param.name, str) or not _NAME.match(param.name):
            yield f"{path}: {param.name!r} is not a name of letters, digits and '_', a letter first"
        if param.name in seen:
            yield f"{path}: is declared twice"
        for section, values in (("fixed", fixed), ("recipe", recipe)):
            if param.name in values and param.when is None:
                yield f"{path}: stands in {section} too, which can never hold; leave one of the two out"
        yield from (f"{path}.when{fault}" for fault in _when_faults(param, seen, names, fixed, recipe, broken))
        seen[param.name] = param


def _when_faults(
    param: Param,
    before: Mapping[str, Param],
    names: Collection[str],
    fixed: Mapping[str, Value],
    recipe: Mapping[str, Value],
    broken: Collection[str],
) -> Iterator[str]:
    if param.when is None:
        return
    ((parent, values),) = param.when.items()
    if parent in broken:
        return
    if parent == param.name:
        yield f": {parent!r} cannot be its own parent"
    elif parent not in before:
        if parent in names:
            yield f": {parent!r} stands below {param.name!r}; a parent stands before its children"
        elif parent in fixed or parent in recipe:
            yield f": {parent!r} is fixed, not a parameter; a condition on it never changes"
        else:
            yield f": there is no parameter {parent!r}{did_you_mean(parent, names)}"
    elif isinstance(before[parent], Float):
        yield f": {parent!r} is a float; a parent is an int, a choice or a bool"
    else:
        for value in values:
            fault = before[parent].fault(before[parent].settled(value))
            if fault:
                yield f".{parent}: {fault}"


def setting_faults(
    params: Sequence[Param],
    fixed: Mapping[str, Value],
    recipe: Mapping[str, Value],
    *,
    model: str,
    custom: bool,
    settings: Mapping[str, Setting],
) -> Iterator[str]:
    """Names and values that the model family or the recipe does not understand.

    Args:
        custom: The user brings a ``build``: ``fixed`` and ``params`` are for it, names in them may be anything.
    """
    for section, values in (("fixed", {} if custom else fixed), ("recipe", recipe)):
        for name, value in values.items():
            if name not in settings:
                yield f"{section}.{name}: {_unknown(name, model, settings)}"
            elif fault := settings[name].fault(value):
                yield f"{section}.{name}: {fault}"
    for param in () if custom else params:
        if param.name not in settings:
            yield f"params.{param.name}: {_unknown(param.name, model, settings)}"
        else:
            yield from (f"params.{param.name}{fault}" for fault in _param_against(param, settings[param.name]))


def _unknown(name: str, model: str, settings: Mapping[str, Setting]) -> str:
    return f"model {model!r} and the recipe know no {name!r}{did_you_mean(name, settings)}"


def _param_against(param: Param, setting: Setting) -> Iterator[str]:
    if isinstance(param, Bool):
        if setting.kind != "bool":
            yield f".type: {setting.name} is {_kind_words(setting)}, not true or false"
    elif setting.kind == "bool":
        yield f".type: {setting.name} is true or false; write 'type: bool'"
    elif isinstance(param, Choice):
        for value in param.choices:
            fault = setting.fault(value)
            if fault:
                yield f".values: {fault}"
    elif setting.kind == "choice":
        yield f".type: {setting.name} is {setting.legal}; write 'type: choice'"
    elif isinstance(param, Float) and setting.kind == "int":
        yield f".type: {setting.name} is a whole number; write 'type: int'"
    elif isinstance(param, Int) and setting.kind == "float":
        yield f".type: {setting.name} is a number with a fraction; write 'type: float'"
    else:
        for end, bound in (("low", param.first), ("high", param.last)):
            fault = setting.fault(bound)
            if fault:
                yield f".{end}: {fault}"


def _kind_words(setting: Setting) -> str:
    return {"int": "a whole number", "float": "a number"}.get(setting.kind, setting.legal)
