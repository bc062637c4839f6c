"""``python -m fertune`` is ``fertune``."""

import sys

from fertune.cli import main

if __name__ == "__main__":
    sys.exit(main())
