"""The kinds of files that folders of classes hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of files.

    Args:
        noun: one of them, in messages.
        extensions: of their names, in lower case.
        example: the path of one, in its class.
        common: the extensions to tell of.
        mend: how others become such files.
        arrays: whether a file of arrays may be meant.
    """

    noun: str
    extensions: frozenset[str]
    example: str
    common: str
    mend: str
    arrays: bool = False

    def counted(self, count: int) -> str:
        """Return a number of them."""
        return f"{count:,} {self.noun}{'s' if count > 1 else ''}"


IMAGES = FileKind(
    "image",
    frozenset(
        [
            *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".avif"),
            *(".ppm", ".pgm", ".pbm", ".pnm"),
        ]
    ),
    "cat/1.jpg",
    ".jpg, .png, .webp, …",
    "convert those that are images to JPEG or PNG, and move the others elsewhere",
    arrays=True,
)
TEXTS = FileKind(
    "text",
    frozenset({".txt"}),
    "spam/1.txt",
    ".txt",
    "save those that are texts as .txt, and move the others elsewhere",
)
