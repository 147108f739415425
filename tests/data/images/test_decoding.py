"""Decoded images against independent computations: modes, orientations, formats, proportions; and damaged files."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from dltrain.data.images import decoding
from dltrain.data.images.decoding import BadImage, Look, decode, decode_all

RNG = np.random.default_rng(5)
GRAY = RNG.integers(0, 256, (6, 8), dtype=np.uint8)
RGB = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (6, 8), dtype=np.uint8)
RGBA = np.dstack([RGB, ALPHA])
DEEP = RNG.integers(0, 65536, (6, 8)).astype(np.uint16)
AS_IS = Look(6, 8)


def on_black(color: np.ndarray, alpha: np.ndarray = ALPHA) -> np.ndarray:
    return color * (alpha[..., None] / 255.0)


def luma(color: np.ndarray) -> np.ndarray:
    return color @ np.array([0.299, 0.587, 0.114])  # ITU-R 601


def gray3(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[..., None], 3, axis=-1)


def decoded(folder: Path, image: Image.Image, name: str = "a.png", look: Look = AS_IS, **options: Any) -> np.ndarray:
    image.save(folder / name, **options)
    return decode(folder / name, look)


def close(found: np.ndarray, expected: np.ndarray, most: float = 1) -> bool:
    return found.dtype == np.uint8 and bool(np.abs(found.astype(float) - expected).max() <= most)


@pytest.mark.parametrize(
    ("image", "color_mode", "expected"),
    [
        (Image.fromarray(RGB), "rgb", RGB),
        (Image.fromarray(RGB), "grayscale", luma(RGB)[..., None]),
        (Image.fromarray(RGB), "rgba", np.dstack([RGB, np.full((6, 8), 255)])),
        (Image.fromarray(GRAY), "rgb", gray3(GRAY)),
        (Image.fromarray(GRAY), "grayscale", GRAY[..., None]),
        (Image.fromarray(GRAY > 99), "rgb", gray3((GRAY > 99) * 255)),
        (Image.fromarray(RGBA), "rgb", on_black(RGB)),
        (Image.fromarray(RGBA), "grayscale", luma(on_black(RGB))[..., None]),
        (Image.fromarray(RGBA), "rgba", RGBA),
        (Image.fromarray(np.dstack([GRAY, ALPHA])), "rgb", on_black(gray3(GRAY))),
        (Image.fromarray(np.dstack([GRAY, ALPHA])), "grayscale", on_black(GRAY[..., None])),
        (Image.fromarray(DEEP), "rgb", gray3(DEEP / 257)),
        (Image.fromarray(DEEP), "grayscale", (DEEP / 257)[..., None]),
    ],
)
def test_decoding_of_every_mode_become_the_color_mode(
    tmp_path: Path, image: Image.Image, color_mode: str, expected: np.ndarray
) -> None:
    found = decoded(tmp_path, image, look=Look(6, 8, color_mode))
    assert found.shape == (6, 8, decoding.CHANNELS[color_mode])
    assert close(found, expected, 1.5 if color_mode == "grayscale" else 1)


def test_decoding_with_a_palette_have_its_colors_and_its_transparency(tmp_path: Path) -> None:
    palette = Image.fromarray(GRAY % 4, "P")
    palette.putpalette([10, 20, 30, 200, 0, 0, 0, 200, 0, 0, 0, 200])
    colors = np.array([[10, 20, 30], [200, 0, 0], [0, 200, 0], [0, 0, 200]])[GRAY % 4]
    assert close(decoded(tmp_path, palette), colors, 0)
    seen = colors * (GRAY % 4 != 1)[..., None]
    assert close(decoded(tmp_path, palette, transparency=1), seen, 0)
    assert close(decoded(tmp_path, palette, "a.gif", transparency=1), seen, 0)
    clear = decoded(tmp_path, palette, look=Look(6, 8, "rgba"), transparency=1)
    assert close(clear[..., 3], (GRAY % 4 != 1) * 255, 0)


def test_decoding_in_cmyk_become_rgb(tmp_path: Path) -> None:
    cmyk = np.zeros((6, 8, 4), np.uint8) + np.array([0, 128, 255, 0], np.uint8)
    found = decoded(tmp_path, Image.fromarray(cmyk, "CMYK"), "a.jpg", quality=100)
    assert close(found, np.full((6, 8, 3), [255, 127, 0]), 3)


@pytest.mark.parametrize(("order", "white_is_zero"), [("<", False), ("<", True), (">", False)])
def test_decoding_of_16_bits_in_tiff_are_scaled(tmp_path: Path, order: str, white_is_zero: bool) -> None:
    mode = "I;16" if order == "<" else "I;16B"
    image = Image.frombytes(mode, (8, 6), DEEP.astype(f"{order}u2").tobytes())
    found = decoded(tmp_path, image, "a.tif", Look(6, 8, "grayscale"), tiffinfo={262: 0} if white_is_zero else {})
    assert close(found[..., 0], 255 - DEEP / 257 if white_is_zero else DEEP / 257)


def test_decoding_of_16_bits_in_pgm_are_scaled(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(b"P5 8 6 65535\n" + DEEP.astype(">u2").tobytes())
    assert close(decode(tmp_path / "a.pgm", Look(6, 8, "grayscale"))[..., 0], DEEP / 257)


@pytest.mark.parametrize("values", [DEEP.astype(np.float32), DEEP.astype(np.int32)])
def test_decoding_without_a_known_range_are_told(tmp_path: Path, values: np.ndarray) -> None:
    with pytest.raises(BadImage, match="black and white are not known"):
        decoded(tmp_path, Image.fromarray(values), "a.tif")


# Orientation -> the array turned upright, by NumPy's own means.
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("orientation", TURNS)
def test_decoding_are_turned_upright(tmp_path: Path, name: str, orientation: int) -> None:
    expected = TURNS[orientation](RGB)
    exif = Image.Exif()
    exif[274] = orientation
    options: dict[str, Any] = {"lossless": True} if name == "a.webp" else {}
    look = Look(*expected.shape[:2])
    assert close(decoded(tmp_path, Image.fromarray(RGB), name, look, exif=exif, **options), expected, 0)


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_decoding_with_an_orientation_that_is_none_stay(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    assert close(decoded(tmp_path, Image.fromarray(RGB), exif=exif), RGB, 0)


def test_decoding_with_damaged_exif_are_still_images(tmp_path: Path) -> None:
    assert close(decoded(tmp_path, Image.fromarray(RGB), exif=b"Exif\0\0nonsense"), RGB, 0)


@pytest.mark.parametrize(
    ("name", "most"), [("a.png", 0), ("a.bmp", 0), ("a.tiff", 0), ("a.ppm", 0), ("a.webp", 0), ("a.jpg", 12)]
)
def test_decoding_are_read_in_every_format(tmp_path: Path, name: str, most: int) -> None:
    smooth = np.linspace(0, 255, 144).reshape(6, 8, 3).astype(np.uint8)
    options: dict[str, dict[str, Any]] = {"a.webp": {"lossless": True}, "a.jpg": {"quality": 100}}
    assert close(decoded(tmp_path, Image.fromarray(smooth), name, **options.get(name, {})), smooth, most)
    (tmp_path / name).rename(tmp_path / "wrong.gif")  # the contents count, not the name
    assert close(decode(tmp_path / "wrong.gif", AS_IS), smooth, most)


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_decoding_that_move_give_their_first_frame(tmp_path: Path, name: str) -> None:
    frames = [Image.new("RGB", (8, 6), color) for color in ((200, 0, 0), (0, 200, 0))]
    found = decoded(tmp_path, frames[0], name, save_all=True, append_images=frames[1:], lossless=True)
    assert close(found, np.full((6, 8, 3), [200, 0, 0]), 1)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos", "box"])
@pytest.mark.parametrize(("fit", "reference"), [("stretch", None), ("crop", ImageOps.fit), ("pad", ImageOps.pad)])
@pytest.mark.parametrize(("height", "width"), [(3, 3), (2, 7), (9, 4), (12, 16), (6, 8)])
def test_decoding_are_resized_as_asked(
    tmp_path: Path, interpolation: str, fit: str, reference: Any, height: int, width: int
) -> None:
    image, method = Image.fromarray(RGB), Image.Resampling[interpolation.upper()]
    found = decoded(tmp_path, image, look=Look(height, width, "rgb", interpolation, fit))
    expected = (reference or Image.Image.resize)(image, (width, height), method)
    assert close(found, np.asarray(expected), 0)


def test_decoding_are_averaged_when_they_shrink(tmp_path: Path) -> None:
    large = RNG.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    found = decoded(tmp_path, Image.fromarray(large), look=Look(6, 8, "rgb", "box"))
    assert close(found, large.reshape(6, 10, 8, 10, 3).mean((1, 3)))


def test_decoding_with_transparency_are_padded_with_transparency(tmp_path: Path) -> None:
    found = decoded(tmp_path, Image.new("RGBA", (4, 2), (9, 9, 9, 255)), look=Look(4, 4, "rgba", "nearest", "pad"))
    assert found[:, 0, 3].tolist() == [0, 255, 255, 0]


def broken(folder: Path, kind: str) -> Path:
    path = folder / "a.png"
    Image.fromarray(RNG.integers(0, 256, (60, 80, 3), dtype=np.uint8)).save(path)
    whole = path.read_bytes()
    if kind == "pipe":
        path.unlink()
        os.mkfifo(path)
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "missing":
        path.unlink()
    else:
        texts = {
            "empty": b"",
            "text": b"<html>",
            "cut off": whole[: len(whole) // 2],
            "zeros": bytes(99),
            "head": whole[:9],
        }
        path.write_bytes(texts[kind])
    return path


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("empty", "is empty"),
        ("text", "no image of a format"),
        ("zeros", "no image of a format"),
        ("head", "no image of a format"),
        ("cut off", "truncated"),
        ("pipe", "not a plain file"),
        ("folder", "[Dd]irectory"),
        ("missing", "No such file"),
    ],
)
def test_decoding_that_cannot_be_read_say_why(tmp_path: Path, kind: str, reason: str) -> None:
    with pytest.raises(BadImage, match=reason):
        decode(broken(tmp_path, kind), AS_IS)


def test_decoding_of_a_format_that_runs_programs_are_refused(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.eps")
    with pytest.raises(BadImage, match="no image of a format"):
        decode(tmp_path / "a.eps", AS_IS)


@pytest.mark.parametrize("limit", [47, 48])
def test_decoding_with_too_many_pixels_are_refused_by_their_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(decoding, "MOST_PIXELS", limit)
    if limit < 48:
        with pytest.raises(BadImage, match="8 x 6 pixels are more than 47"):
            decoded(tmp_path, Image.fromarray(RGB))
    else:
        assert close(decoded(tmp_path, Image.fromarray(RGB)), RGB, 0)


def test_decoding_that_pillow_takes_for_a_bomb_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(BadImage, match="pixels"):
        decoded(tmp_path, Image.fromarray(RGB))


def test_decoding_are_decoded_in_order_and_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_CHUNK", 3)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    files = [f"{number}.png" for number in range(10)]
    for number, file in enumerate(files):
        Image.new("L", (8, 6), number).save(tmp_path / file)
    (tmp_path / "4.png").write_bytes(b"")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = list(decode_all(tmp_path, files, AS_IS))
    assert isinstance(found[4], BadImage)
    assert [int(image[0, 0, 0]) for image in found if not isinstance(image, BadImage)] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
