"""Roles, and right and wrong, can be told apart by people who see colours otherwise."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from fertune.report.theme import _ROLES

# Machado, Oliveira, Fernandes (2009), severity 1, on linear RGB.
SIGHTS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip


def seen(colour: str, sight: str) -> np.ndarray:
    """OKLab x 100 (Ottosson 2020) of a ``#rrggbb`` colour as simulated."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(SIGHTS[sight]) @ linear, 0, 1)
    return 100 * (LAB @ np.cbrt(LMS @ linear))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("sight", SIGHTS)
def test_the_four_roles_stay_apart(theme: int, sight: str) -> None:
    for a, b in combinations(("single", "variant", "average", "meta"), 2):
        apart = np.linalg.norm(seen(_ROLES[a][theme], sight) - seen(_ROLES[b][theme], sight))
        assert apart >= 12.5, (a, b, apart)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("sight", SIGHTS)
def test_right_and_wrong_stay_apart_even_without_their_marks(theme: int, sight: str) -> None:
    apart = np.linalg.norm(seen(_ROLES["right"][theme], sight) - seen(_ROLES["wrong"][theme], sight))
    assert apart >= 10.5, apart
