"""What a ``.keras`` file asks for, read without building anything of it.

Keras' ``safe_mode`` refuses Python code in a Lambda. It does not refuse a layer that reads a file or calls another
program, or weights that lie in another file, and what it refuses has grown from release to release. So the file is held
against a list of modules that is written here, whatever Keras is installed.
"""

from __future__ import annotations

import io
import json
import math
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fertune.training.zips import zip_faults

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LARGEST = 4 * 2**30
LARGEST_CONFIG = 32 * 2**20
MOST_OBJECTS = 100_000

MODULES = (
    "keras.activations", "keras.constraints", "keras.dtype_policies", "keras.initializers", "keras.layers",
    "keras.losses", "keras.metrics", "keras.ops", "keras.optimizers", "keras.quantizers", "keras.regularizers",
    "keras.src.layers", "keras.src.losses", "keras.src.metrics", "keras.src.ops", "keras.src.optimizers",
    "keras.src.trainers.compile_utils",
)  # fmt: skip
NARROW = ("keras.models", "keras.random", "keras.src.models", "keras.src.random")
NAMES = ("Model", "Sequential", "Functional", "DTypePolicy", "FloatDTypePolicy", "SeedGenerator")
"""All that is legal of the modules in ``NARROW`` and of ``keras`` itself, where functions stand that load files."""

REFUSED = {
    "Lambda": "runs Python code that is in the file",
    "TFSMLayer": "loads another file",
    "TorchModuleWrapper": "loads a pickle",
    "JaxLayer": "runs Python code that is in the file",
    "FlaxLayer": "runs Python code that is in the file",
    "StringLookup": "may read another file",
    "IntegerLookup": "may read another file",
    "IndexLookup": "may read another file",
    "TextVectorization": "may read another file",
}
TOOLS = ("deserialize", "get", "serialize")
"""Functions of the legal modules that build what they are told."""

PLAIN = ("__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__")


def keras_faults(path: Path) -> list[str]:
    """Why a ``.keras`` file must not be loaded, one line each; empty where it may.

    Layers of a user's own class are legal where this process has registered them
    (``keras.saving.register_keras_serializable``): then the code is the user's, not the file's.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            faults = list(zip_faults(archive, path.stat().st_size, most=8, largest=LARGEST))
            names = {member.orig_filename for member in archive.infolist()}
            faults += [f"{name}: not a part of a Keras model" for name in sorted(names - {CONFIG, METADATA, WEIGHTS})]
            faults += [f"{name}: missing" for name in (CONFIG, WEIGHTS) if name not in names]
            if not faults and archive.getinfo(CONFIG).file_size > LARGEST_CONFIG:
                faults.append(f"{CONFIG}: larger than {LARGEST_CONFIG:,} bytes")
            if not faults:
                config = json.loads(archive.read(CONFIG))
                faults = list(dict.fromkeys(_config_faults(config))) + list(_weights_faults(archive))
    # a cut-off or invented file meets zip, deflate, JSON and HDF5, and each has its own errors
    except (OSError, ValueError, KeyError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        return [f"no readable Keras model: {str(error).splitlines()[0] if str(error) else type(error).__name__}"]
    return faults


def foreign_classes(faults: list[str]) -> bool:
    """Whether a user's own classes are all that stands against a file."""
    return bool(faults) and all(fault.endswith(_UNREGISTERED) for fault in faults)


_UNREGISTERED = "neither Keras' own nor registered in this process"


def _registered() -> set[str]:
    keras = sys.modules.get("keras")
    return set(keras.saving.get_custom_objects()) if keras is not None else set()


def _config_faults(config: Any) -> Iterator[str]:
    """Walks the JSON without recursion; everything with a ``class_name`` is something that Keras would build."""
    registered = _registered()
    waiting = [config]
    if not isinstance(config, dict) or "class_name" not in config:
        yield f"{CONFIG}: does not describe a model"
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        if not isinstance(node, dict):
            continue
        waiting.extend(node.values())
        if "class_name" in node and (fault := _class_fault(node, registered)):
            yield fault


def _class_fault(node: dict[str, Any], registered: set[str]) -> str | None:
    name, module, known_as = node["class_name"], node.get("module"), node.get("registered_name")
    if name == "function":
        name = node.get("config")
        known_as = known_as if known_as != "function" else name
    if not isinstance(name, str) or not isinstance(module, str | None) or not isinstance(known_as, str | None):
        return f"{CONFIG}: {str(name)[:80]!r} is no name of a class"
    if name in PLAIN and module is None:
        return None
    if name in REFUSED:
        return f"layer {name}: {REFUSED[name]}"
    if name.startswith("__"):
        return f"{name}: Python code or types that fertune does not build"
    if known_as in registered:
        return None
    if module == "builtins" and node["class_name"] == "function":
        return None
    if module is not None and _is_legal(module, name):
        return None
    return f"{known_as or name} of {module or 'no module'}: {_UNREGISTERED}"


def _is_legal(module: str, name: str) -> bool:
    if name in TOOLS:
        return False
    inside = [known for known in (*MODULES, *NARROW) if module == known or module.startswith(f"{known}.")]
    return any(known in MODULES for known in inside) or name in NAMES and (module == "keras" or bool(inside))


def _weights_faults(archive: zipfile.ZipFile) -> Iterator[str]:
    """Links, data that lie elsewhere or are not numbers, and more declared than stored."""
    import h5py

    member = archive.getinfo(WEIGHTS)
    with archive.open(member) as stream:
        source = stream if member.compress_type == zipfile.ZIP_STORED else io.BytesIO(stream.read())
        with h5py.File(source, "r") as file:
            declared, count, seen = 0, 0, set()
            waiting = [("", file)]
            while waiting:
                where, group = waiting.pop()
                for name in group:
                    count += 1
                    path = f"{where}/{name}" if where else name
                    if count > MOST_OBJECTS:
                        yield f"{WEIGHTS}: more than {MOST_OBJECTS:,} objects"
                        return
                    if type(group.get(name, getlink=True)) is not h5py.HardLink:
                        yield f"{WEIGHTS}: {path} is a link"
                        continue
                    item = group[name]
                    if isinstance(item, h5py.Group):
                        address = h5py.h5o.get_info(item.id).addr
                        if address not in seen:
                            seen.add(address)
                            waiting.append((path, item))
                    elif not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biufcV" or item.dtype.hasobject:
                        yield f"{WEIGHTS}: {path} does not hold numbers"
                    elif item.is_virtual or item.external:
                        yield f"{WEIGHTS}: {path} lies in another file"
                    else:
                        declared += math.prod(item.shape) * item.dtype.itemsize
    if declared > 4 * member.file_size + 2**20:
        yield f"{WEIGHTS}: declares {declared:,} bytes of weights and stores {member.file_size:,}"
