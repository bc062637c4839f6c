"""``reproduce``: how do I get this again?"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from fertune.report.blocks import Block, Command, Facts, Section, Source
from fertune.report.words import line, moment, plain, telling, visible, without_paths

HEADING = "Reproduce"
UNKNOWN = "not recorded"


def typed(command: Any) -> str:
    """The command line as it was typed, absolute paths shortened to their last name."""
    if isinstance(command, str):
        return without_paths(line(command))
    words = [without_paths(line(part)) for part in command or ()]
    if words:
        words[0] = words[0].rsplit("/", 1)[-1]
    return " ".join(shlex.quote(word) if word else "''" for word in words)


@telling
def finding(info: Mapping[str, Any]) -> str:
    seed = info.get("options", {}).get("seed")
    if not info.get("versions"):
        return "Versions were not recorded: the same numbers cannot be promised."
    lead = f"Seed {plain(seed)}. " if seed is not None else ""
    return f"{lead}The same numbers need the same versions, the same data and one worker."


def _said(value: Any) -> str:
    if value is None or value == "" or value == []:
        return UNKNOWN
    if isinstance(value, (list, tuple)):
        return without_paths(", ".join(line(v) for v in value))
    return without_paths(line(value))


def section(info: Mapping[str, Any]) -> Section:
    data, options = info.get("data", {}), info.get("options", {})
    command = typed(info.get("command"))
    blocks: list[Block] = []
    if command:
        blocks.append(Command(command, "as it was typed"))
    versions = info.get("versions") or {}
    pairs = [
        ("run", _said(info.get("name"))),
        ("started", moment(info.get("created"))),
        ("fertune", _said(info.get("fertune"))),
        ("run protocol", _said(info.get("protocol"))),
        ("seed", _said(options.get("seed"))),
        ("data", f"{_said(data.get('name'))} from {_said(data.get('source'))}"),
        ("data fingerprint", _said(data.get("fingerprint"))),
    ]
    if info.get("kind") == "search":
        pairs += [
            ("space", _said((info.get("space") or {}).get("name"))),
            ("space fingerprint", _said(info.get("space_fingerprint"))),
            ("engine", _said(info.get("engine"))),
        ]
    else:
        pairs += [
            ("runs", _said(info.get("runs"))),
            ("members", _said([m.get("name") for m in info.get("members", ())])),
        ]
    pairs += [
        ("backend", _said(info.get("backend"))),
        ("devices", _said(info.get("devices"))),
        ("cores", _said(info.get("cores"))),
        ("versions", ", ".join(f"{line(k)} {line(v)}" for k, v in sorted(versions.items())) or UNKNOWN),
    ]
    shown = {k: v for k, v in sorted(options.items()) if k not in ("seed", "out") and v is not None and v != ""}
    if shown:
        pairs.append(("options", ", ".join(f"{line(k)}={_said(v)}" for k, v in shown.items())))
    blocks.append(Facts(tuple(pairs)))
    if info.get("space_source"):
        blocks.append(Source(without_paths(visible(info["space_source"])), "The space as it was written"))
    return Section(
        "reproduce",
        HEADING,
        finding(info),
        "full" if versions else "thin",
        tuple(blocks),
        "Absolute paths are shortened to their last name, so that the report can be handed on.",
    )
