"""Paint faces: shapes by their distance functions, so edges are smooth without drawing larger and shrinking.

A picture's pixels are mapped into the face's own coordinates (x to the right, y down, the face's half width is 1),
through shift, scale, tilt and turn of the head; there each feature is a signed distance, and its coverage of a pixel
is a ramp one pixel wide round zero. Formulas of the distances: Quilez, "2D distance functions".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]  # float32; (n, size, size), or (n, 1, 1) for one number a face

SHIFT = 0.13  # of the picture's half width, in both directions
SCALE = (0.74, 0.94)  # half width of the face, in half widths of the picture
TILT = 0.22  # radians, the most; half of it is the standard deviation
TURN = 0.3  # how far the features slide, at the most
EYE_X, EYE_Y, BROW_Y, MOUTH_Y = 0.36, -0.18, -0.42, 0.48


def paint(moves: Mapping[str, NDArray[np.float32]], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """uint8 (n, size, size): one gray picture a face.

    Args:
        moves: float32 (n,) by name, see ``fertune.data.faces.MOVES``.
        size: Height and width in pixels.
        rng: Of pose, person, light, occlusion and noise.
    """
    n = len(moves["brow_up"])
    return _Painter(n, size, rng).face({name: value[:, None, None] for name, value in moves.items()})


class _Painter:
    """One batch of faces; ``light`` holds the gray values so far, 0 to 1."""

    def __init__(self, n: int, size: int, rng: np.random.Generator) -> None:
        self.n, self.rng = n, rng
        axis = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1)[None]
        self.px, self.py = axis[:, None, :], axis[:, :, None]
        scale = self.uniform(*SCALE)
        tilt = self.normal(TILT / 2, TILT)
        shift_x, shift_y = self.uniform(-SHIFT, SHIFT), self.uniform(-SHIFT, SHIFT)
        dx, dy = self.px - shift_x, self.py - shift_y
        cos, sin = np.cos(tilt), np.sin(tilt)
        self.x = (cos * dx + sin * dy) / scale
        self.y = (-sin * dx + cos * dy) / (scale * self.uniform(1.0, 1.2))
        self.edge = 1.0 / (scale * size)  # half a pixel, in face units
        turn = self.uniform(-TURN, TURN)
        # a turned head: features slide towards one side, and are narrower there
        self.fx = self.x - turn * (1 - np.minimum(self.x**2, 1)) * 0.6
        self.fy = self.y - self.uniform(-0.12, 0.12)
        self.light: Plane = np.zeros((n, size, size), np.float32)

    def uniform(self, low: float, high: float) -> Plane:
        return self.rng.uniform(low, high, (self.n, 1, 1)).astype(np.float32)

    def normal(self, spread: float, limit: float) -> Plane:
        return np.clip(self.rng.normal(0, spread, (self.n, 1, 1)), -limit, limit).astype(np.float32)

    def cover(self, distance: Plane) -> Plane:
        """How much of each pixel a shape covers, 0 to 1."""
        return np.clip(0.5 - distance / (2 * self.edge), 0, 1)

    def put(self, cover: Plane, gray: Plane) -> None:
        self.light += cover * (gray - self.light)

    def face(self, moves: Mapping[str, Plane]) -> NDArray[np.uint8]:
        self._background()
        skin = self.uniform(0.45, 0.85)
        self._head(skin)
        dark = skin * self.uniform(0.1, 0.4)
        self._eyes(moves, skin, dark)
        self._nose(moves, skin)
        self._mouth(moves, skin)
        self._glasses(dark)
        self._light()
        self._occlusion()
        return self._finish()

    def _background(self) -> None:
        base, slope_x, slope_y = self.uniform(0.05, 0.9), self.normal(0.15, 0.4), self.normal(0.15, 0.4)
        self.light[:] = base + slope_x * self.px + slope_y * self.py
        for _ in range(2):
            x, y, r = self.uniform(-1, 1), self.uniform(-1, 1), self.uniform(0.1, 0.7)
            self.put(self.cover(np.hypot(self.px - x, self.py - y) - r), self.uniform(0, 1))

    def _head(self, skin: Plane) -> None:
        hair = self.uniform(0.02, 0.45)
        volume, hairline = self.uniform(1.0, 1.22), self.uniform(-0.85, -0.5)
        self.put(self.cover(_ellipse(self.x, self.y + 0.12, volume, volume * 1.12)), hair)
        self.put(self.cover(_ellipse(self.x, self.y, self.uniform(0.84, 0.98), self.uniform(1.0, 1.12))), skin)
        fringe = np.maximum(
            _ellipse(self.x, self.y, 1.0, 1.12), self.y - hairline - 0.25 * self.x * self.normal(0.5, 1)
        )
        self.put(self.cover(fringe), hair)

    def _eyes(self, moves: Mapping[str, Plane], skin: Plane, dark: Plane) -> None:
        gaze, wide, thick = self.uniform(-0.05, 0.05), self.uniform(0.15, 0.2), self.uniform(0.028, 0.055)
        apart = self.uniform(0.9, 1.1)
        for side in (-1, 1):
            x = self.fx * side - EYE_X * apart
            y = self.fy - EYE_Y
            lid = _ellipse(x, y, wide, moves["eye_open"])
            self.put(self.cover(lid - 0.03), dark)
            self.put(self.cover(lid), np.minimum(skin * 1.35, 0.98))
            self.put(self.cover(np.maximum(np.hypot(x - gaze * side, y) - 0.075, lid)), dark * 0.4)
            lift = BROW_Y - moves["brow_up"]
            slope = -moves["brow_tilt"] * x / 0.2 * 0.9 + moves["brow_arch"] * ((x / 0.2) ** 2 - 1)
            brow = np.maximum(np.abs(self.fy - lift - slope) - thick, np.abs(x) - 0.22)
            self.put(self.cover(brow), dark)

    def _nose(self, moves: Mapping[str, Plane], skin: Plane) -> None:
        side, shade = np.sign(self.normal(1, 1)), skin * self.uniform(0.6, 0.85)
        long = self.uniform(0.14, 0.22)
        ridge = np.maximum(
            np.abs(self.fx - side * (0.06 + 0.12 * (self.fy - 0.05))) - 0.02, np.abs(self.fy - 0.05) - long
        )
        self.put(self.cover(ridge), shade)
        self.put(self.cover(_ellipse(np.abs(self.fx) - 0.09, self.fy - 0.06 - long, 0.05, 0.03)), shade * 0.6)
        strength = np.clip(moves["wrinkle"], 0, 1)
        for y in (-0.12, -0.03):
            fold = np.maximum(np.abs(self.fy - y - 0.3 * np.abs(self.fx)) - 0.02, np.abs(self.fx) - 0.15)
            self.put(self.cover(fold) * strength, shade * 0.6)

    def _mouth(self, moves: Mapping[str, Plane], skin: Plane) -> None:
        wide, open_ = moves["mouth_wide"], moves["mouth_open"]
        lip = self.uniform(0.045, 0.07)
        x = self.fx / wide
        bend = moves["mouth_curve"] * (1 - x**2) * 1.2 - moves["mouth_curve"] * 0.6
        y = self.fy - MOUTH_Y - bend + moves["lip_up"] * np.exp(-((x - 0.4) ** 2) * 4)
        gap = open_ * np.sqrt(np.clip(1 - x**2, 0, 1))
        ends = (np.abs(x) - 1) * wide
        red = skin * self.uniform(0.25, 0.6)
        self.put(self.cover(np.maximum(np.abs(y) - gap - lip, ends)), red)
        inside = np.maximum(np.abs(y) - gap, ends + 0.02)
        self.put(self.cover(inside) * (open_ > 0.015), red * 0.25)
        teeth = np.maximum(inside, y + gap * self.uniform(-0.2, 0.6))
        self.put(self.cover(teeth) * (open_ > 0.03), np.minimum(skin * 1.3, 0.95))

    def _glasses(self, dark: Plane) -> None:
        worn = (self.uniform(0, 1) < 0.15).astype(np.float32)
        x, y = np.abs(self.fx) - EYE_X, self.fy - EYE_Y
        rim = np.abs(_ellipse(x, y, 0.27, 0.22)) - 0.018
        bridge = np.maximum(np.abs(self.fy - EYE_Y) - 0.018, np.abs(self.fx) - 0.1)
        self.put(self.cover(np.minimum(rim, bridge)) * worn, dark * 0.5)

    def _light(self) -> None:
        """A gradient of light over the picture, and its exposure."""
        angle, strength = self.uniform(-np.pi, np.pi), self.uniform(0, 0.45)
        self.light *= 1 + strength * (np.cos(angle) * self.px + np.sin(angle) * self.py)
        self.light = np.clip(self.light, 0, 1) ** self.uniform(0.6, 1.6)
        contrast, level = self.uniform(0.6, 1.0), self.uniform(-0.1, 0.1)
        self.light = 0.5 + (self.light - 0.5) * contrast + level

    def _occlusion(self) -> None:
        """A hand, a scarf, the edge of something: a bar that comes in from a side of one face in five."""
        there = (self.uniform(0, 1) < 0.15).astype(np.float32)
        angle, depth = self.uniform(-np.pi, np.pi), self.uniform(0.55, 1.1)
        bar = depth - (np.cos(angle) * self.px + np.sin(angle) * self.py)
        self.put(self.cover(bar) * there, self.uniform(0, 1))

    def _finish(self) -> NDArray[np.uint8]:
        noise = self.rng.standard_normal(self.light.shape, dtype=np.float32)
        self.light += noise * self.uniform(0.01, 0.04)
        return np.rint(np.clip(self.light, 0, 1) * 255).astype(np.uint8)


def _ellipse(x: Plane, y: Plane, rx: Plane | float, ry: Plane | float) -> Plane:
    """Signed distance to an ellipse, first order: f / |grad f| for f = (x/rx)^2 + (y/ry)^2 - 1."""
    rx2, ry2 = rx * rx, ry * ry
    value = x * x / rx2 + y * y / ry2 - 1
    slope = 2 * np.sqrt(x * x / (rx2 * rx2) + y * y / (ry2 * ry2)) + np.float32(1e-6)
    return np.asarray(value / slope, np.float32)
