"""Search spaces: declared once, in order, for every engine."""

from fertune.space.choices import Bool, Choice
from fertune.space.load import load_space, shipped_spaces, shipped_text
from fertune.space.numbers import Float, Int
from fertune.space.param import Param
from fertune.space.setting import Setting
from fertune.space.space import Space

__all__ = [
    "Bool",
    "Choice",
    "Float",
    "Int",
    "Param",
    "Setting",
    "Space",
    "load_space",
    "shipped_spaces",
    "shipped_text",
]
