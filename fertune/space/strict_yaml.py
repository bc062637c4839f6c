"""YAML as people read it: PyYAML's safe loader without its traps.

Only ``true`` and ``false`` are booleans (``no`` stays a text), ``1e-4`` is a number (YAML 1.1 reads it as a text),
dates and ``1:30`` stay texts, a key that stands twice is a fault, and aliases are refused: spaces are copied.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from fertune.errors import SpaceError

_BOOL = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_NULL = re.compile(r"^(?:~|null|Null|NULL|)$")
_INT = re.compile(r"^[-+]?[0-9][0-9_]*$")
_FLOAT = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|nan)$")


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.twice: list[str] = []

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem=f"the alias '*{event.anchor}' is not read; copy the values", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        first: dict[Any, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a plain name", problem_mark=key.start_mark)
            if key.value in first:
                self.twice.append(f"line {line}: {key.value!r} stands twice, first on line {first[key.value]}")
            first.setdefault(key.value, line)
        return super().construct_mapping(node, deep=True)

    def construct_int(self, node: Any) -> int:
        return int(self.construct_scalar(node).replace("_", ""))


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOL, list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", _NULL, ["~", "n", "N", ""])
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_int)


def read_yaml(text: str, name: str) -> tuple[Any, list[str]]:
    """What the text holds, and a line for each key that stands twice.

    Raises:
        SpaceError: The text is no YAML; the line is named, counted from 1.
    """
    loader = None
    try:
        loader = _Loader(text)
        return loader.get_single_data(), loader.twice
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise SpaceError(f"{name} is no YAML", details=[f"{name}: {where}{error.problem or error.context}"]) from None
    except (ValueError, RecursionError) as error:  # a tagged number that is none; thousands of nested brackets
        raise SpaceError(f"{name} is no YAML", details=[f"{name}: {error}"]) from None
    except yaml.YAMLError as error:
        raise SpaceError(f"{name} is no YAML", details=[f"{name}: {' '.join(str(error).split())}"]) from None
    finally:
        if loader is not None:
            loader.dispose()
