"""Pictures of any mode: what they become, and what is said of it."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fertune.data import open_dataset
from fertune.data.resize import resize, resize_all
from fertune.data.sources.pictures import Unreadable, decode

from .conftest import picture

GRAY = picture(5, 8)
COLOUR = np.stack([picture(5, 8), picture(6, 8), picture(7, 8)], axis=2)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG that Pillow itself does not write."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_gray_and_colour_come_back_exactly() -> None:
    assert np.array_equal(decode(encoded(Image.fromarray(GRAY))).pixels, GRAY)
    assert np.array_equal(decode(encoded(Image.fromarray(COLOUR))).pixels, COLOUR)
    assert decode(encoded(Image.fromarray(np.stack([GRAY] * 3, axis=2)))).pixels.shape == (8, 8)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_left_out(mode: str) -> None:
    found = decode(encoded(Image.fromarray(GRAY).convert(mode)))
    assert np.array_equal(found.pixels, GRAY) and found.oddities == ("alpha",)


def test_a_palette_is_looked_up_and_its_transparency_left_out() -> None:
    image = Image.fromarray(COLOUR).quantize(16)
    plain = np.asarray(image.convert("RGB"))
    assert np.array_equal(decode(encoded(image)).pixels, plain) and decode(encoded(image)).oddities == ()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = decode(encoded(image, transparency=bytes(range(16))))
    assert np.array_equal(found.pixels, plain) and found.oddities == ("alpha",)


def test_one_bit_is_black_and_white() -> None:
    assert np.array_equal(decode(encoded(Image.fromarray(GRAY > 99))).pixels, np.where(GRAY > 99, 255, 0))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_to_eight_by_a_fixed_rule(kind: str) -> None:
    found = decode(encoded(Image.fromarray(GRAY.astype(np.uint16) * 257), kind))
    assert np.array_equal(found.pixels, GRAY) and found.oddities == ("deep",)
    dim = decode(encoded(Image.fromarray(np.full((4, 4), 1000, np.uint16)), kind))  # not stretched
    assert set(dim.pixels.ravel().tolist()) == {4}


def test_sixteen_bits_of_colour_are_scaled_too() -> None:
    deep = COLOUR.astype(">u2") * 257
    found = decode(png(8, 8, 16, 2, b"".join(b"\0" + row.tobytes() for row in deep)))
    assert np.array_equal(found.pixels, COLOUR) and found.oddities == ("deep",)


def test_more_than_sixteen_bits_are_refused() -> None:
    with pytest.raises(Unreadable, match="go from 0 to 70000; 8 and 16 bits are read"):
        decode(encoded(Image.fromarray(np.array([[0, 70000]], np.int32)), "TIFF"))
    with pytest.raises(Unreadable, match="mode F"):
        decode(encoded(Image.fromarray(np.array([[0, 0.5]], np.float32)), "TIFF"))


def test_cmyk_becomes_red_green_blue() -> None:
    found = decode(encoded(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "JPEG", quality=100))
    assert found.pixels.shape == (4, 4, 3)
    assert found.pixels[..., 0].min() > 240 and found.pixels[..., 1:].max() < 15  # red


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    upright = picture(1, 8)[:6]
    undo = {1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.T,
            6: np.rot90(upright), 7: upright[::-1, ::-1].T, 8: np.rot90(upright, -1)}  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation]))
    found = decode(encoded(stored, exif=exif.tobytes()))
    assert np.array_equal(found.pixels, upright)
    assert found.oddities == (("turned",) if orientation > 1 else ())


def test_the_first_frame_of_a_moving_picture_is_taken() -> None:
    first, second = Image.new("L", (4, 4), 10), Image.new("L", (4, 4), 200)
    found = decode(encoded(first, "GIF", save_all=True, append_images=[second]))
    assert set(found.pixels.ravel().tolist()) == {10} and found.oddities == ("moving",)


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (12_000, 10_000)])
def test_a_picture_bomb_is_refused_before_it_is_made(width: int, height: int) -> None:
    bomb = png(width, height, 8, 0, b"\0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Unreadable, match="pixels"):
            decode(bomb)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x89PNG\r\n\x1a\n", b"GIF89a\x01\x00\x01\x00"])
def test_what_is_no_picture_is_one_clause(content: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(content)
    assert str(caught.value) and "\n" not in str(caught.value)


def test_cut_and_altered_pictures_are_read_or_refused_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"):
        whole = encoded(Image.fromarray(COLOUR), kind)
        for _ in range(40):
            broken = bytearray(whole[: int(rng.integers(1, len(whole) + 1))])
            broken[int(rng.integers(len(broken)))] ^= int(rng.integers(1, 256))
            try:
                assert decode(bytes(broken)).pixels.dtype == np.uint8
            except Unreadable:
                continue


def test_oddities_are_counted_in_the_notes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "mixed" / "train" / name).mkdir(parents=True)
        for i in range(6):
            Image.fromarray(picture(i + 10 * (name == "b"))).save(tmp_path / "mixed" / "train" / name / f"{i}.png")
    deep = Image.fromarray(picture(50).astype(np.uint16) * 257)
    deep.save(tmp_path / "mixed" / "train" / "a" / "deep.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture(51)).save(tmp_path / "mixed" / "train" / "b" / "turned.jpg", exif=exif)
    notes = open_dataset(tmp_path / "mixed").notes
    assert "1 picture has 16 bits a pixel and was scaled to 8" in notes
    assert "1 picture was turned upright, as its EXIF data say" in notes


def test_resizing_keeps_flat_pictures_flat_and_what_has_the_size() -> None:
    assert set(resize(np.full((9, 7), 77, np.uint8), (4, 4)).ravel().tolist()) == {77}
    assert resize(GRAY, (8, 8)) is GRAY
    assert resize(COLOUR, (3, 5)).shape == (3, 5, 3) and resize(COLOUR[..., :2], (3, 5)).shape == (3, 5, 2)
    fine = np.indices((48, 48)).sum(0) % 2 * 255  # finer than the new size can show: it must become gray
    assert np.ptp(resize(fine.astype(np.uint8), (12, 12))[2:-2, 2:-2]) < 30
    assert resize_all(np.stack([GRAY, GRAY])[..., None], (4, 6)).shape == (2, 4, 6, 1)
