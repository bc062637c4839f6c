"""Prints the lower bounds of setup.cfg as pins, for a run of the tests with the oldest versions that are promised:

python tests/packaging/lowest.py cpu check > lowest.txt
pip install -c lowest.txt -e ".[cpu,check]"
"""

from __future__ import annotations

import configparser
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

SETUP = Path(__file__).resolve().parents[2] / "setup.cfg"
BOUND = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?\s*>=\s*([\w.]+)")


def pins(extras: Sequence[str]) -> Iterator[str]:
    """``name==version`` for each requirement with a lower bound, of the package itself and of these extras.

    Raises:
        KeyError: No such extra.
    """
    setup = configparser.ConfigParser()
    setup.read(SETUP, encoding="utf-8")
    texts = [setup["options"]["install_requires"], *(setup["options.extras_require"][name] for name in extras)]
    for text in texts:
        for line in text.splitlines():
            found = BOUND.match(line.strip())
            if found:
                yield f"{found.group(1)}=={found.group(2)}"


if __name__ == "__main__":
    print("\n".join(sorted(set(pins(sys.argv[1:])))))
