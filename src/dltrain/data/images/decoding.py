"""One image file -> pixels: what Pillow reads, turned upright, on 8 bits, and resized."""

from __future__ import annotations

import os
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from dltrain.data.progress import tell

MOST_PIXELS = 178_956_970  # twice Pillow's own limit for a warning: 0.5 GiB in RGB
CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}
# Formats of pictures alone: others of Pillow's run a program, such as Ghostscript for EPS.
_FORMATS = ("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "WEBP", "TIFF", "PPM", "AVIF")
# EXIF's orientation -> the way to turn the image upright; 1 is upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION, _BITS, _PHOTOMETRIC = 274, 258, 262  # tags of EXIF and TIFF
# Modes of more than 8 bits -> the formats in which white is 65,535; Pillow before 11 reads PNG's 16 bits as `I`.
_16_BITS = {"I;16": None, "I;16L": None, "I;16B": None, "I;16N": None, "I": ("PNG", "PPM")}
_ALPHA = ("LA", "PA", "RGBA", "La", "RGBa")
_PLAIN = ("1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV", "RGBX")
# What Pillow raises for damaged files.
_OF_DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError, AttributeError),
    *(RuntimeError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError),
)
_CHUNK = 256  # images that are decoded before the first of them is needed


class BadImage(Exception):
    """An image file that cannot be used; its text is the reason."""


@dataclass(frozen=True, slots=True)
class Look:
    """How images shall look.

    Args:
        height, width: pixels.
        color_mode: a key of `CHANNELS`.
        interpolation: `bilinear` and the like, all with antialiasing.
        fit: `stretch`; `crop` to the largest centred part of the wanted proportions; or `pad` with black.
    """

    height: int
    width: int
    color_mode: str = "rgb"
    interpolation: str = "bilinear"
    fit: str = "stretch"

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, CHANNELS[self.color_mode]


@dataclass(frozen=True, slots=True)
class Header:
    """The size of an image as it is turned upright, in pixels, and whether it has only shades of grey."""

    height: int
    width: int
    grey: bool


def headers(root: Path, files: Sequence[str]) -> list[Header]:
    """Return what the headers of image files say, without decoding; of those that can be read."""
    Image.init()
    found: list[Header] = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        for file in files:
            with suppress(BadImage, *_OF_DAMAGE), _opened(root / file) as image:
                size = image.size[::-1] if _orientation(image) < 5 else image.size  # from 5 on, it lies on its side
                found.append(Header(*size, image.mode in ("1", "L", "LA") or image.mode in _16_BITS))
    return found


def decode_all(
    root: Path, files: Sequence[str], look: Look, threads: int = 2, deep: list[str] | None = None
) -> Iterator[np.ndarray | BadImage]:
    """Yield the pixels of each file, in order, or why it has none; those of more than 8 bits are added to `deep`."""

    def attempt(file: str) -> np.ndarray | BadImage:
        try:
            found, is_deep = _decoded(root / file, look)
        except BadImage as bad:
            return bad
        if is_deep and deep is not None:
            deep.append(file)
        return found

    Image.init()  # loads all formats, once
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(files), _CHUNK):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", module="PIL")  # of large images, and of odd EXIF
                found = list(pool.map(attempt, files[start : start + _CHUNK]))
            yield from found
            tell("decoding images", start + len(found), len(files))


def decode(path: Path, look: Look) -> np.ndarray:
    """Return the pixels of an image file, uint8 of the shape of `look`. Raises BadImage."""
    return _decoded(path, look)[0]


def _decoded(path: Path, look: Look) -> tuple[np.ndarray, bool]:
    """Return the pixels of an image file, and whether it has more than 8 bits. Raises BadImage."""
    Image.init()
    try:
        with _opened(path) as image:
            if image.width * image.height > MOST_PIXELS:
                raise BadImage(_too_large(f"{image.width:,} x {image.height:,} pixels are"))
            return _pixels(image, look), image.mode in _16_BITS
    except UnidentifiedImageError:
        raise BadImage("it is no image of a format that is read, or damaged") from None
    except Image.DecompressionBombError:
        raise BadImage(_too_large("its pixels are")) from None
    except _OF_DAMAGE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadImage(reason or type(error).__name__) from None


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image, of which only the header is read. Raises BadImage if the file is empty, or none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe does not block
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BadImage("it is not a plain file")
        if status.st_size == 0:
            raise BadImage("it is empty")
        with Image.open(stream, formats=[name for name in _FORMATS if name in Image.OPEN]) as image:
            yield image


def _too_large(what: str) -> str:
    return f"{what} more than {MOST_PIXELS:,} in all"


def _pixels(image: Image.Image, look: Look) -> np.ndarray:
    image.load()  # the first frame of an animation; TIFF is turned upright here by newer versions
    picture = _upright(_plain(image), _orientation(image))
    if look.color_mode != "rgba" and picture.mode == "RGBA":
        picture = _on_black(picture)
    if look.color_mode == "grayscale":
        picture = picture.convert("L")
    picture = _resized(picture, look).convert(_MODES[look.color_mode])
    return np.asarray(picture, np.uint8).reshape(look.shape)


def _orientation(image: Image.Image) -> int:
    """Return EXIF's orientation; 1 where it is not written, or EXIF is damaged: then the image is still an image."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _OF_DAMAGE:
        return 1


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    turn = _UPRIGHT.get(orientation)
    return picture.transpose(turn) if turn is not None else picture


def _plain(image: Image.Image) -> Image.Image:
    """Return an image as `L`, `RGB` or `RGBA`. Raises BadImage if its values have no known range."""
    mode = image.mode
    if mode in _16_BITS and (_16_BITS[mode] is None or image.format in (_16_BITS[mode] or ())):
        return _from_16_bits(image)
    if mode in _ALPHA or (mode in _PLAIN and "transparency" in image.info):
        return image.convert("RGBA")
    if mode in ("L", "RGB"):
        return image
    if mode in _PLAIN:
        return image.convert("L" if mode == "1" else "RGB")
    values = {"F": "fractions", "I": "32-bit numbers"}.get(mode, f"values of the mode {mode}")
    raise BadImage(f"its pixels are {values}, whose black and white are not known: save it with 8 or 16 bits")


def _from_16_bits(image: Image.Image) -> Image.Image:
    """Scale to 8 bits, rounded. Pillow's own conversion clips: all above 255 would be white."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS, 16)
    top = 2 ** int(bits[0] if isinstance(bits, tuple) else bits) - 1
    values = np.minimum(np.asarray(image).astype(np.uint32), top)
    values = top - values if tags.get(_PHOTOMETRIC) == 0 else values  # white is 0, which Pillow leaves so
    return Image.fromarray(((values * 255 + top // 2) // top).astype(np.uint8))


def _on_black(picture: Image.Image) -> Image.Image:
    background = Image.new("RGB", picture.size)
    background.paste(picture, mask=picture.getchannel("A"))
    return background


def _resized(picture: Image.Image, look: Look) -> Image.Image:
    width, height = picture.size
    method, size = _FILTERS[look.interpolation], (look.width, look.height)
    if (width, height) == size:
        return picture
    if look.fit == "crop":
        part = min(width, height * look.width / look.height), min(height, width * look.height / look.width)
        left, top = (width - part[0]) / 2, (height - part[1]) / 2
        return picture.resize(size, method, (left, top, left + part[0], top + part[1]))
    if look.fit == "pad":
        scale = min(look.width / width, look.height / height)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        padded = Image.new(picture.mode, size)
        padded.paste(picture.resize(inner, method), ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
        return padded
    return picture.resize(size, method)
