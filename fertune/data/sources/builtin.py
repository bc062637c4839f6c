"""``builtin:faces`` and ``builtin:digits``, with options after a question mark."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from fertune.data.assemble import Parsed
from fertune.errors import DataError, did_you_mean

Options = dict[str, int | float]

BUILTINS: Mapping[str, Mapping[str, tuple[type[int] | type[float], float, float, float]]] = {
    # option: kind, default, lowest, highest
    "faces": {
        "n": (int, 3000, 40, 200_000), "size": (int, 48, 16, 256), "seed": (int, 0, 0, 2**31 - 1),
        "label_noise": (float, 0.0, 0.0, 1.0),
    },
    "digits": {},
}  # fmt: skip


def parse_builtin(source: str) -> tuple[str, Options]:
    """Name and options of ``builtin:NAME?option=value&...``; every option has its value, so equal data have one key.

    Raises:
        DataError: An unknown name; or all wrong options at once.
    """
    name, _, query = source.removeprefix("builtin:").partition("?")
    if name not in BUILTINS:
        known = [f"builtin:{known}" for known in BUILTINS]
        hint = did_you_mean(f"builtin:{name}", known)
        raise DataError(f"no built-in data set named 'builtin:{name}'; legal: {', '.join(known)}{hint}")
    legal = BUILTINS[name]
    options: Options = {key: kind(default) for key, (kind, default, _, _) in legal.items()}
    faults = []
    for key, text in parse_qsl(query, keep_blank_values=True):
        if key not in legal:
            which = f"legal: {', '.join(legal)}" if legal else "it has none"
            faults.append(f"{key}: no such option; {which}{did_you_mean(key, legal)}")
            continue
        kind, _, low, high = legal[key]
        word = "a whole number" if kind is int else "a number"
        try:
            value = kind(text)
        except ValueError:
            faults.append(f"{key}: {text!r} is not {word} from {low:,g} to {high:,.12g}")
            continue
        if not low <= value <= high:
            faults.append(f"{key}: {text} is not {word} from {low:,g} to {high:,.12g}")
        options[key] = value
    if query and not parse_qsl(query, keep_blank_values=True):
        faults.append(f"{query!r} is no option; they are written as name=value, with & between them")
    if faults:
        raise DataError(f"builtin:{name} has wrong options", details=faults, help="builtin:faces?n=600&size=48&seed=1")
    return name, options


def read_builtin(name: str, options: Options) -> Parsed:
    """Make the pictures."""
    if name == "digits":
        from fertune.data.sources.digits import read_digits

        return read_digits()
    from fertune.data.faces import read_faces

    return read_faces(
        n=int(options["n"]), size=int(options["size"]), seed=int(options["seed"]), label_noise=options["label_noise"]
    )
