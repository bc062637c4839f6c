"""Model families: what each can be told (``catalog``, no keras) and how it is built (keras, imported when asked)."""

from fertune.models.build import build_model
from fertune.models.catalog import CUSTOM, FAMILIES, Family
from fertune.models.engine import load_keras

__all__ = ["CUSTOM", "FAMILIES", "Family", "build_model", "load_keras"]
