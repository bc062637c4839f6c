"""scikit-learn models on disk without pickle: skops, and a list of types that is written here and nowhere else.

A skops file names the classes that it wants built. What may be built is decided by this list alone, never by the file:
the file's schema is read as JSON first, and one type or node outside the list refuses the whole file before anything in
it is imported. (skops' own default of trusted types is wider: every scikit-learn estimator and numpy function.)
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fertune.errors import MissingPackage, RunError

PLAIN = frozenset(
    {
        "builtins.dict", "builtins.list", "builtins.tuple", "builtins.str", "builtins.int", "builtins.float",
        "builtins.bool", "numpy.ndarray", "numpy.dtype", "numpy.int64", "numpy.int32", "numpy.float64",
    }
)  # fmt: skip
TREE = frozenset({"sklearn.tree._classes.DecisionTreeClassifier", "sklearn.tree._tree.Tree"})
LOGISTIC = frozenset(
    {
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.linear_model._logistic.LogisticRegression",
    }
)
ALLOWED = PLAIN | TREE | LOGISTIC
NODES = frozenset(
    {"ObjectNode", "TreeNode", "DictNode", "ListNode", "TupleNode", "JsonNode", "TypeNode", "NdArrayNode", "DtypeNode"}
)
LARGEST = 256 * 2**20  # bytes, unpacked: no meta-learner comes near, and a zip may hold a thousand times its size

INSTALL = 'pip install "fertune[cpu]"'


def save_model(model: object, path: Path) -> None:
    """Write a model; what cannot be loaded again is refused now.

    Raises:
        RunError: The model holds a type outside the list: a newer scikit-learn may have added one.
    """
    try:
        import skops.io
    except ImportError as error:
        raise MissingPackage(f"saving a meta-learner needs skops: {error}", help=INSTALL) from error
    skops.io.dump(model, path)
    _refuse_unknown(path)


def load_model(path: Path, kind: type[Any]) -> Any:
    """Read a model of class ``kind``.

    Raises:
        RunError: Missing, damaged, or asking for a type outside the list.
    """
    try:
        import skops.io
    except ImportError as error:
        raise MissingPackage(f"loading a meta-learner needs skops: {error}", help=INSTALL) from error
    _refuse_unknown(path)
    try:
        model = skops.io.load(path, trusted=sorted(ALLOWED))
    except Exception as error:  # skops, numpy and scikit-learn each raise their own for a file they cannot build from
        raise RunError(f"{path} cannot be read as a scikit-learn model: {error}") from error
    if type(model) is not kind:
        raise RunError(f"{path} holds a {type(model).__name__} where a {kind.__name__} is wanted")
    return model


def _refuse_unknown(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > LARGEST:
                raise RunError(f"{path} unpacks to more than {LARGEST:,} bytes; no meta-learner does")
            schema = json.loads(archive.read("schema.json"))
    except FileNotFoundError:
        raise RunError(f"no model at {path}") from None
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise RunError(f"{path} is no readable skops file: {error}") from error
    asked = set(_asked(schema))
    unknown = sorted(f"type {name}" for name, _ in asked if name not in ALLOWED)
    unknown += sorted(f"node {node}" for _, node in asked if node not in NODES)
    if unknown or not asked:
        raise RunError(
            f"{path} asks for what fertune does not build; nothing was loaded",
            details=unknown or ["no type at all"],
            help="use a run folder that you made yourself or trust; a file from fertune asks for none of these",
        )


def _asked(schema: object) -> Iterator[tuple[str, str]]:
    """Every (module.class, node) that the file wants built; walks the JSON without recursion."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "__class__" in node or "__loader__" in node or "__module__" in node:
                yield f"{node.get('__module__')}.{node.get('__class__')}", str(node.get("__loader__"))
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
