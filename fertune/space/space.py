"""A search space: what is fixed, what the recipe says, and an ordered list of parameters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fertune.errors import SpaceError, did_you_mean
from fertune.space.check import CUSTOM, head_faults, param_faults, values_faults
from fertune.space.param import Param
from fertune.space.setting import Setting
from fertune.space.start import settle, start_faults
from fertune.trial import Params, Value

Build = Callable[..., Any]


@dataclass(frozen=True)
class Space:
    """Everything one search may vary, declared in order: a parent stands before its children.

    Args:
        name: Letters, digits, ``_``, ``-``, ``.``.
        params: Parameters in the order of declaration.
        model: Model family that reads the settings; by default ``conv``, beside ``build`` it is ``custom``.
        fixed: Settings of the model that do not vary. A name may also be a parameter where that one has a ``when``:
            then the fixed value holds wherever the parameter is inactive.
        recipe: Settings of the training that do not vary.
        tuner: Engine taken where nobody names one, a name of ``fertune.trial.TUNERS``.
        summary: One line for people.
        start: Configurations that are tried first, in this order; what one leaves out is drawn by the search's seed.
        build: Your own ``build(params, input_shape, n_classes) -> keras.Model``; ``params`` is the flat dict of
            ``settings``. Never written down; give it again when a run is resumed.
        source: Text of the Python file that the space came from.

    Raises:
        SpaceError: With every fault in ``details``.
    """

    name: str
    params: Sequence[Param]
    model: str = field(default="", kw_only=True)
    fixed: Mapping[str, Value] = field(default_factory=dict, kw_only=True)
    recipe: Mapping[str, Value] = field(default_factory=dict, kw_only=True)
    tuner: str = field(default="random", kw_only=True)
    summary: str = field(default="", kw_only=True)
    start: Sequence[Params] = field(default=(), kw_only=True)
    build: Build | None = field(default=None, kw_only=True, compare=False, repr=False)
    source: str | None = field(default=None, kw_only=True, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", self.model or (CUSTOM if self.build is not None else "conv"))
        faults = list(head_faults(self.name, self.model, self.tuner, self.summary))
        faults += [f for section in ("fixed", "recipe") for f in values_faults(section, getattr(self, section))]
        foreign = [p for p in self.params if not isinstance(p, Param)]
        faults += [f"params: {p!r} is not an Int, Float, Choice or Bool" for p in foreign]
        if self.build is not None and not callable(self.build):
            faults.append(f"build: {self.build!r} cannot be called")
        if not faults:
            faults = list(param_faults(self.params, self.fixed, self.recipe))
            faults += start_faults(self.start, self.params, self.fixed, self.recipe)
        if faults:
            raise SpaceError(f"space {self.name!r} is not legal", details=faults)
        by_name = {p.name: p for p in self.params}
        settled = tuple(p if p.when is None else p.under(by_name[next(iter(p.when))]) for p in self.params)
        object.__setattr__(self, "params", settled)
        object.__setattr__(self, "start", tuple(settle(given, by_name) for given in self.start))
        object.__setattr__(self, "fixed", dict(self.fixed))
        object.__setattr__(self, "recipe", dict(self.recipe))

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters in the order of declaration."""
        return tuple(p.name for p in self.params)

    def __getitem__(self, name: str) -> Param:
        for param in self.params:
            if param.name == name:
                return param
        raise KeyError(name)

    def walk(self, choose: Callable[[Param], Value]) -> dict[str, Value]:
        """One configuration: ``choose`` is asked for each active parameter, in order."""
        chosen: dict[str, Value] = {}
        for param in self.params:
            if param.active(chosen):
                chosen[param.name] = choose(param)
        return chosen

    def active(self, params: Params) -> tuple[str, ...]:
        """Names of the parameters that are active beside these values, in the order of declaration."""
        return tuple(p.name for p in self.params if p.active(params))

    def faults(self, params: Params) -> list[str]:
        """Why ``params`` is no configuration of this space, one line a fault; empty if it is one."""
        active = set(self.active(params))
        lines = []
        for name in params:
            if name not in self.names:
                lines.append(f"{name}: is no parameter of {self.name!r}{did_you_mean(name, self.names)}")
            elif name not in active:
                lines.append(f"{name}: is given, but inactive beside the other values")
        for param in self.params:
            if param.name not in active:
                continue
            if param.name not in params:
                lines.append(f"{param.name}: is active, but not given")
            elif fault := param.fault(params[param.name]):
                lines.append(f"{param.name}: {fault}")
        return lines

    def contains(self, params: Params) -> bool:
        """Whether ``params`` is exactly one configuration: active parameters only, plain values, legal."""
        return not self.faults(params)

    def validate(self, params: Params) -> None:
        """Raise ``SpaceError`` with all faults unless ``contains(params)``."""
        faults = self.faults(params)
        if faults:
            raise SpaceError(f"these are no parameters of space {self.name!r}", details=faults)

    def sample(self, rng: np.random.Generator) -> dict[str, Value]:
        """One random configuration."""
        return self.walk(lambda param: param.sample(rng))

    def size(self) -> int | None:
        """Number of distinct configurations; None where there is no end of them."""
        total = 1
        for root in (p for p in self.params if p.when is None):
            count = self._count(root)
            if count is None:
                return None
            total *= count
        return total

    def _count(self, param: Param) -> int | None:
        """Configurations of ``param`` and all that hangs on it."""
        children = [p for p in self.params if p.when is not None and param.name in p.when]
        if not children:
            return param.count
        below = {c.name: self._count(c) for c in children}
        total = 0
        for value in param.values():
            product = 1
            for child in (c for c in children if c.active({param.name: value})):
                count = below[child.name]
                if count is None:
                    return None
                product *= count
            total += product
        return total

    def points(self) -> Iterator[dict[str, Value]]:
        """All configurations of a finite space, the last parameter varying first."""
        return self._points({}, 0)

    def _points(self, chosen: dict[str, Value], index: int) -> Iterator[dict[str, Value]]:
        if index == len(self.params):
            yield chosen
            return
        param = self.params[index]
        if not param.active(chosen):
            yield from self._points(chosen, index + 1)
            return
        for value in param.values():
            yield from self._points({**chosen, param.name: value}, index + 1)

    def key(self, params: Params) -> str:
        """Canonical JSON: equal for equal configurations, whatever the order of the names."""
        return json.dumps(dict(params), sort_keys=True, separators=(",", ":"))

    def narrowed(
        self,
        set: Mapping[str, Any] | None = None,
        ranges: Mapping[str, Any] | None = None,
        settings: Mapping[str, Setting] | None = None,
    ) -> Space:
        """The space with some parameters fixed and others in another range; same name, another fingerprint.

        Args:
            set: Parameter or setting -> its value.
            ranges: Parameter -> ``(low, high)``, a list of values, or a text such as ``"32..128:log"`` or ``"1,2,4"``.
            settings: What values are legal; where a name is not among them (None: for all), only narrowing is.

        Raises:
            SpaceError: With every fault.
        """
        from fertune.space.narrow import narrow

        return narrow(self, set or {}, ranges or {}, settings)[0]

    def settings(self, params: Params) -> dict[str, Value]:
        """What a job is given: fixed, then recipe, then the active parameters over both."""
        return {**self.fixed, **self.recipe, **params}

    @property
    def fingerprint(self) -> str:
        """sha256 of everything but ``summary``, ``tuner``, ``build`` and ``source``, as 64 hexadecimal digits."""
        parts = self.to_dict()
        del parts["summary"], parts["tuner"]
        parts["fixed"], parts["recipe"] = sorted(self.fixed.items()), sorted(self.recipe.items())
        parts["params"] = list(parts["params"].items())
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("utf-8")).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """The mapping of a space file, plain values only; ``build`` and ``source`` are not in it."""
        return {
            "name": self.name,
            "summary": self.summary,
            "model": self.model,
            "tuner": self.tuner,
            "fixed": dict(self.fixed),
            "recipe": dict(self.recipe),
            "params": {p.name: p.to_dict() for p in self.params},
            **({"start": [dict(given) for given in self.start]} if self.start else {}),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any], *, build: Build | None = None, source: str | None = None) -> Space:
        """The space of ``to_dict`` or of a parsed file; ``SpaceError`` with all faults."""
        from fertune.space.parse import read_parts

        return read_parts(given).space(build=build, source=source)
