"""A real search on a real terminal of 60 columns, ended by Ctrl-C."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.console.factory import ESCAPE, wide

pty = pytest.importorskip("pty", reason="needs the pseudo-terminals of a Unix")
pytestmark = pytest.mark.slow

SPACE = """\
name: tiny
model: conv
fixed: {blocks: 1, dense_units: 0, pooling: average}
params:
  filters_1: {type: choice, values: [4, 8, 16, 24, 32]}
  learning_rate: {type: float, low: 2.0e-3, high: 1.0e-2, log: true}
"""


def test_a_live_search_keeps_to_its_width_and_ctrl_c_ends_it_well(tmp_path: Path) -> None:
    import termios

    (tmp_path / "tiny.yaml").write_text(SPACE)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 60))
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "CI", "NO_COLOR", "FORCE_COLOR")}
    env |= {"TERM": "xterm-256color", "FERTUNE_CACHE": str(tmp_path / "cache")}
    words = "search --space tiny.yaml --data builtin:digits --trials 40 --max-epochs 2 --out run"
    process = subprocess.Popen(
        [sys.executable, "-m", "fertune", *words.split()],
        cwd=tmp_path, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
    )  # fmt: skip
    os.close(theirs)
    seen, asked, until = b"", False, time.monotonic() + 240
    while time.monotonic() < until:
        try:
            more = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        seen += more
        if not asked and seen.count(b"completed") > 1:
            os.write(ours, b"\x03")
            asked = True
    os.close(ours)
    assert process.wait(60) == 130
    text = seen.decode("utf-8")
    assert "\x1b[?25l" in text and text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l"), "the cursor comes back"
    assert wide(re.sub(r"\r|\x1b\[\d*A|\x1b\[2K", "\n", text)) <= 60
    plain = ESCAPE.sub("", text)
    assert plain.count("stopping, a few seconds") == 1
    assert plain.count("Interrupted after") == 1 and "Traceback" not in plain
    assert plain.count("fertune search --out run --resume") == 1
