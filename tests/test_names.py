from __future__ import annotations

import pytest

from dltrain import names


@pytest.mark.parametrize("text", ["a", "cnn_mnist", "0", "A.b-c_d", "x" * 64, "a."])
def test_names_valid_name_accepts(text: str) -> None:
    assert names.valid_name(text)


@pytest.mark.parametrize("text", ["", ".a", "-a", "_a", "a b", "a/b", "..", "x" * 65, "a\n", "é", "٣", "a\0"])
def test_names_valid_name_rejects(text: str) -> None:
    assert not names.valid_name(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cnn_mnist", "cnn_mnist"),
        ("my config [1]", "my-config-1"),
        ("modèle d'été", "modele-d-ete"),
        ("../../etc/passwd", "etc-passwd"),
        ("_private.yaml", "private.yaml"),
        ("日本", "run"),
        ("", "run"),
        ("\0\n", "run"),
        ("x" * 63 + "--y", "x" * 63),
    ],
)
def test_names_slug_makes_valid_names(text: str, expected: str) -> None:
    assert names.slug(text) == expected
    assert names.valid_name(names.slug(text))
