"""``fertune doctor``: what this machine is, what is wrong with it, and how many workers suit it."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from rich.text import Text

from fertune.console.screen import Screen
from fertune.console.table import Column, draw
from fertune.console.text import bytes_text, count

LABEL = 12
"""Cells of a line's first word."""


def show_checkup(
    document: Mapping[str, Any], stream: TextIO | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Print a checkup.

    Args:
        document: ``Checkup.to_json()``.
        stream, env: Stand in for those of the process.
    """
    screen = Screen(stream if stream is not None else sys.stdout, env)
    screen.lines(checkup_lines(screen, document))


def checkup_text(document: Mapping[str, Any]) -> str:
    """The same as plain text without colours."""
    stream = io.StringIO()
    show_checkup(document, stream, {"NO_COLOR": "1"})
    return stream.getvalue().rstrip("\n")


def checkup_lines(screen: Screen, document: Mapping[str, Any]) -> list[Text]:
    lines: list[Text] = []
    for label, text in (
        ("versions", _versions(document)),
        ("backend", _backend(document["backend"])),
        ("processor", _processor(document)),
        ("GPUs", ", ".join(g["name"] or f"GPU {g['id']}" for g in document["gpus"]) or "none"),
        ("memory", f"{bytes_text(document['memory_free'])} free of {bytes_text(document['memory'])}"),
        *((f"{d['what']}", _disk(d, document)) for d in document["disks"]),
        ("not there", ", ".join(f"fertune[{name}]" for name in document["missing"])),
    ):
        if text:
            lines += _row(screen, label, text)
    lines += _splits(screen, document)
    for finding in document["findings"]:
        style = "red" if finding["level"] == "problem" else "yellow"
        head = screen.text(f"{finding['level']}: ", style).append_text(screen.text(finding["text"]))
        lines += screen.fold(head, "  ")
        if finding["help"]:
            lines += screen.fold(screen.text("  ").append_text(screen.text(finding["help"], "cyan")), "    ")
    if not document["usable"]:
        return [*lines, screen.text("fertune cannot train here yet", "red")]
    return [*lines, screen.text("fertune can train here", "green")]


def _row(screen: Screen, label: str, text: str) -> list[Text]:
    head = screen.text(f"{label:<{LABEL}}", "bold").append_text(screen.text(text))
    return screen.fold(head, " " * LABEL)


def _versions(document: Mapping[str, Any]) -> str:
    return " · ".join(f"{name} {version}" for name, version in document["versions"].items())


def _backend(backend: Mapping[str, Any]) -> str:
    if "devices" not in backend:
        return f"{backend['asked']}: does not work"
    bfloat16 = "fast" if backend["bfloat16"] else "slow here, so it is not used"
    devices = ", ".join(backend["devices"]) or "no devices"
    began = f"started and trained a step in {backend['seconds']:.1f} s"
    return f"{backend['backend']} on {devices} · {began} · bfloat16 {bfloat16}"


def _processor(document: Mapping[str, Any]) -> str:
    of = f" of {document['machine_cores']}" if document["machine_cores"] != document["cores"] else ""
    return f"{document['cpu']} · {document['cores']}{of} cores"


def _disk(disk: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    free = f"{bytes_text(disk['free'])} free" if disk["free"] is not None else "free space unknown"
    held = document["cache_bytes"] if disk["what"] == "cache" else None
    holds = f" · holds {bytes_text(held)} of data sets" if held is not None else ""
    return f"{free} at {disk['path']}{holds}" + ("" if disk["writable"] else " · cannot be written")


def _splits(screen: Screen, document: Mapping[str, Any]) -> list[Text]:
    """What ``--workers auto`` means and why; the table of what was measured just now."""
    auto, split = document["auto"], document["split"]
    threads = f" x {count(auto['threads'], 'thread')}" if auto["threads"] else ""
    why = "not measured yet: fertune doctor --measure"
    if split is not None:
        why = f"measured {split['measured']}: {split['images_a_second']:,.0f} images/s"
    elif any(not d.lower().startswith("cpu") for d in document["backend"].get("devices") or ()):
        why = "one a GPU"
    lines = _row(screen, "workers", f"auto is {count(auto['workers'], 'worker')}{threads} · {why}")
    rows = document["measured"]
    if not rows:
        return lines
    best = max(r["images_a_second"] for r in rows)
    rates = [screen.text(f"{r['images_a_second']:,.0f}" if not r["problem"] else "-") for r in rows]
    rates[[r["images_a_second"] for r in rows].index(best)].stylize("bold")
    columns = [
        Column(" " * LABEL + "workers", [screen.text(str(r["workers"])) for r in rows]),
        Column("threads", [screen.text(str(r["threads"])) for r in rows]),
        Column("images/s", rates),
    ]
    return [*lines, *draw(screen, columns)]
