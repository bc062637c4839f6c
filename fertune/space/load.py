"""Finding a space by name or path, and reading it: shipped YAML, your YAML, your Python."""

from __future__ import annotations

import hashlib
import importlib.resources
import importlib.util
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from fertune.errors import FertuneError, SpaceError, did_you_mean
from fertune.space.check import CUSTOM, setting_faults
from fertune.space.choices import Choice
from fertune.space.parse import read_parts
from fertune.space.setting import Setting
from fertune.space.space import Space
from fertune.space.strict_yaml import read_yaml
from fertune.trial import Value

SHIPPED = "fertune.search_spaces"
Settings = Mapping[str, Setting] | Callable[[str], Mapping[str, Setting] | None]


def shipped_spaces() -> tuple[str, ...]:
    """Names of the spaces that come with fertune, sorted."""
    return tuple(sorted(f.name.removesuffix(".yaml") for f in _shipped_files() if f.name.endswith(".yaml")))


def shipped_text(name: str) -> str:
    """The file of a shipped space as it stands, comments included.

    Raises:
        SpaceError: No shipped space has this name.
    """
    for file in _shipped_files():
        if file.name == f"{name}.yaml":
            return file.read_text(encoding="utf-8")
    known = shipped_spaces()
    raise SpaceError(
        f"no space named {name!r}; shipped: {', '.join(known)}{did_you_mean(name, known)}",
        help="give one of these names, or the path of a .yaml or .py file",
    )


def load_space(name_or_path: str | Path, *, settings: Settings | None = None) -> Space:
    """A space by the name of a shipped one, or from a ``.yaml`` or ``.py`` file.

    Args:
        name_or_path: ``leaky_cnn``, ``my_space.yaml``, ``my_space.py`` (a file with one module-level ``Space``).
        settings: What the model family and the recipe understand, by name, or a function from the space's ``model`` to
            that (None: anything goes); names and values are checked against it. None checks the shape only.

    Raises:
        SpaceError: With every fault in ``details``, each with its path in the file.
    """
    text = str(name_or_path)
    path = Path(text)
    if path.suffix not in (".yaml", ".yml", ".py") and len(path.parts) == 1:
        return _from_yaml(shipped_text(text), f"{text}.yaml", settings)
    content = _read(path)
    if path.suffix == ".py":
        return _from_python(content, path, settings)
    return _from_yaml(content, path.name, settings)


def _shipped_files() -> list[importlib.resources.abc.Traversable]:
    try:
        return list(importlib.resources.files(SHIPPED).iterdir())
    except ModuleNotFoundError:
        raise SpaceError(
            "the shipped spaces are not installed with fertune", help='pip install --force-reinstall "fertune[cpu]"'
        ) from None


def _read(path: Path) -> str:
    if path.suffix not in (".yaml", ".yml", ".py"):
        known = ", ".join(shipped_spaces())
        raise SpaceError(f"{path} is no space file; a space is a .yaml or .py file, or one of {known}")
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        near = [p.name for p in path.parent.glob("*") if p.suffix == path.suffix] if path.parent.is_dir() else []
        shipped = path.stem in shipped_spaces()
        raise SpaceError(
            f"there is no file {path}{did_you_mean(path.name, near)}",
            help=f"--space {path.stem} is the shipped one" if shipped else None,
        ) from None
    except UnicodeDecodeError as error:
        raise SpaceError(f"{path} is not UTF-8 text: byte {error.start}") from None
    except OSError as error:
        raise SpaceError(f"{path} cannot be read: {error.strerror}") from None


def _from_yaml(text: str, name: str, settings: Settings | None) -> Space:
    given, twice = read_yaml(text, name)
    parts = read_parts(given, name=Path(name).stem)
    parts.faults[:0] = twice
    known, more = _known(settings, parts.model)
    if known is not None:
        more += setting_faults(
            parts.params, parts.fixed, parts.recipe, model=parts.model, custom=parts.model == CUSTOM, settings=known
        )
    parts.faults += more
    if parts.faults:
        raise _broken(name, parts.faults)
    return _coerced(parts.space(), known or {})


def _known(settings: Settings | None, model: str) -> tuple[Mapping[str, Setting] | None, list[str]]:
    if not callable(settings):
        return settings, []
    try:
        return settings(model), []
    except FertuneError as error:
        return None, [f"model: {error.message}"]


def _coerced(space: Space, known: Mapping[str, Setting]) -> Space:
    """Whole numbers become floats where a float is meant."""

    def coerce(values: Mapping[str, Value]) -> dict[str, Value]:
        return {n: known[n].coerce(v) if n in known else v for n, v in values.items()}

    params = [
        Choice(p.name, [known[p.name].coerce(v) for v in p.choices], p.when)
        if isinstance(p, Choice) and p.name in known
        else p
        for p in space.params
    ]
    return replace(space, params=params, fixed=coerce(space.fixed), recipe=coerce(space.recipe))


def _broken(name: str, faults: list[str]) -> SpaceError:
    count = "a fault" if len(faults) == 1 else f"{len(faults)} faults"
    return SpaceError(f"{name} has {count}", details=[f"{name}: {line}" for line in faults])


def _from_python(text: str, path: Path, settings: Settings | None) -> Space:
    found = _run(path, text)
    if not found:
        raise SpaceError(
            f"{path.name} makes no Space",
            help="write at its top level: space = fertune.Space('name', [...], build=build)",
        )
    if len(found) > 1 and "space" not in found:
        listed = ", ".join(found)
        raise SpaceError(f"{path.name} makes {len(found)} spaces: {listed}", help="call the one to search 'space'")
    space = found["space"] if "space" in found else next(iter(found.values()))
    custom = space.build is not None
    known, faults = _known(settings, space.model)
    if known is not None:
        faults += setting_faults(
            space.params, space.fixed, space.recipe, model=space.model, custom=custom, settings=known
        )
    if faults:
        raise _broken(path.name, faults)
    space = replace(space, source=text)
    return space if custom else _coerced(space, known or {})


def _run(path: Path, text: str) -> dict[str, Space]:
    """Module-level spaces of a file, by name; one object under two names counts once.

    The module is left out of ``sys.modules`` afterwards: then cloudpickle carries its functions by value, and a child
    needs no such file.
    """
    digest = hashlib.sha256(str(path.resolve()).encode("utf-8")).hexdigest()[:12]
    name = f"fertune_space_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SpaceError(f"{path} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)
    except SpaceError as error:
        raise SpaceError(f"{path.name}: {error.message}", details=error.details, help=error.help) from None
    # The file is the user's: whatever it raises is told with its line, and is no bug of ours.
    except (Exception, SystemExit) as error:
        raise SpaceError(f"{path.name} cannot be run", details=[f"{path.name}: {_line(error, path)}"]) from error
    finally:
        del sys.modules[name]
    spaces: dict[str, Space] = {}
    for key, value in vars(module).items():
        if isinstance(value, Space) and not any(value is s for s in spaces.values()):
            spaces[key] = value
    return spaces


def _line(error: BaseException, path: Path) -> str:
    line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == str(path):
            line = frame.lineno
    return f"line {line}: {type(error).__name__}: {error}" if line else f"{type(error).__name__}: {error}"
