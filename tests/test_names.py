from __future__ import annotations

import pytest

from dltrain import names


@pytest.mark.parametrize(
    "text", ["a", "cnn_mnist", "0", "A.b-c_d", "x" * 64, "a.", "é", "модель", "日本", "हिन्दी", "٣", "я" * 64]
)
def test_names_valid_name_accepts(text: str) -> None:
    assert names.valid_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".a",
        "-a",
        "_a",
        "a b",
        "a/b",
        "..",
        "x" * 65,
        "a\n",
        "a\0",
        "e\u0301",
        "a\u200b",
        "日" * 67,
        "𐐨" * 64,
        "\ud800",
        "a–b",
    ],
)
def test_names_valid_name_rejects(text: str) -> None:
    assert not names.valid_name(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cnn_mnist", "cnn_mnist"),
        ("my config [1]", "my-config-1"),
        ("modèle d'été", "modèle-d-été"),
        ("../../etc/passwd", "etc-passwd"),
        ("_private.yaml", "private.yaml"),
        ("日本", "日本"),
        ("модель 1", "модель-1"),
        ("e\u0301t\u00e9", "été"),
        ("𐐨" * 64, "𐐨" * 50),
        ("\ud800", "run"),
        ("", "run"),
        ("\0\n", "run"),
        ("x" * 63 + "--y", "x" * 63),
    ],
)
def test_names_slug_makes_valid_names(text: str, expected: str) -> None:
    assert names.slug(text) == expected
    assert names.valid_name(names.slug(text))


@pytest.mark.parametrize("text", ["accuracy", "top_2", "a.b-c", "точность", "x" * 64])
def test_names_of_metrics_are_those_of_columns(text: str) -> None:
    assert names.valid_metric(text)
    assert all(names.valid_column(prefix + text) for prefix in ("", "val_", "test_", "val_" + "x" * 60))


@pytest.mark.parametrize(
    "text", ["loss", "learning_rate", "epoch", "seconds", "val_a", "test_a", "a b", "a/b", "_a", "", "a" * 65]
)
def test_names_of_metrics_are_no_other_columns(text: str) -> None:
    assert not names.valid_metric(text)
