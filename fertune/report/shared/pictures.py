"""Thumbnails: one PNG sheet, embedded once, each picture a window on it."""

from __future__ import annotations

import base64
import io

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

PER_ROW = 16
LARGEST = 64
MOST = 160


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At most 64 px a side, (h, w, 3) or (h, w)."""
    from PIL import Image

    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    elif image.ndim == 3 and image.shape[2] != 3:
        image = image[:, :, :3] if image.shape[2] > 3 else image[:, :, 0]
    height, width = image.shape[:2]
    if max(height, width) <= LARGEST:
        return image
    scale = LARGEST / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))


class Sheet:
    """Pictures on one PNG. ``markup`` stands once in the page, ``window`` shows the i-th picture."""

    def __init__(self, id: str, images: NDArray[np.uint8]) -> None:
        """Args:
        id: Unique in the page.
        images: (n, h, w, c) uint8, all of one size.
        """
        from PIL import Image

        self.id = id
        small = [_small(image) for image in images[:MOST]]
        self.height, self.width = small[0].shape[:2]
        rows = -(-len(small) // PER_ROW)
        columns = min(PER_ROW, len(small))
        colour = any(one.ndim == 3 for one in small)
        sheet = np.zeros((rows * self.height, columns * self.width, *((3,) if colour else ())), np.uint8)
        for i, one in enumerate(small):
            y, x = divmod(i, PER_ROW)
            sheet[y * self.height : (y + 1) * self.height, x * self.width : (x + 1) * self.width] = one
        file = io.BytesIO()
        Image.fromarray(sheet).save(file, "PNG", optimize=True)
        self.size = (columns * self.width, rows * self.height)
        self._data = base64.b64encode(file.getvalue()).decode("ascii")

    @property
    def markup(self) -> Markup:
        w, h = self.size
        return Markup(
            f'<svg class="sheet" width="0" height="0" aria-hidden="true"><symbol id="{self.id}" viewBox="0 0 {w} {h}">'
            f'<image width="{w}" height="{h}" href="data:image/png;base64,{self._data}"/></symbol></svg>'
        )

    def window(self, i: int, label: str, share: float | None = None) -> Markup:
        """Args:
        label: What a screen reader says.
        share: From 0 to 1, drawn as a bar under the picture.
        """
        y, x = divmod(i, PER_ROW)
        w, h = self.size
        box = f"{x * self.width} {y * self.height} {self.width} {self.height}"
        use = f'<use href="#{self.id}" width="{w}" height="{h}"/>'
        said = f'role="img" aria-label="{escape(label)}"'
        if share is None:
            return Markup(f'<svg class="thumb" viewBox="{box}" {said}>{use}</svg>')
        bar = round(self.height / 12, 1)
        tall, full = self.height + 2 * bar, round(share * self.width, 1)
        return Markup(
            f'<svg class="thumb" viewBox="0 0 {self.width} {tall}" {said}>'
            f'<svg viewBox="{box}" width="{self.width}" height="{self.height}">{use}</svg>'
            f'<path d="M0 {self.height + bar}H{self.width}" style="stroke:var(--grid);stroke-width:{bar}"/>'
            f'<path d="M0 {self.height + bar}H{full}" style="stroke:var(--ink);stroke-width:{bar}"/></svg>'
        )


def usable(images: NDArray[np.generic] | None) -> bool:
    return images is not None and images.ndim == 4 and len(images) > 0 and images.dtype == np.uint8
