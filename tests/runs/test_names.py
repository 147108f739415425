from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dltrain.runs import names


@pytest.mark.parametrize("text", ["a", "cnn_mnist", "0", "A.b-c_d", "x" * 64, "a."])
def test_names_valid_name_accepts(text: str) -> None:
    assert names.valid_name(text)


@pytest.mark.parametrize("text", ["", ".a", "-a", "_a", "a b", "a/b", "..", "x" * 65, "a\n", "é", "٣", "a\0"])
def test_names_valid_name_refuses(text: str) -> None:
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


def test_names_new_id_is_utc_and_reads_back() -> None:
    moment = datetime(2026, 11, 21, 16, 30, 5, tzinfo=timezone(timedelta(hours=2)))
    run_id = names.new_id(moment, "a-20260101-000000-b")
    assert run_id.startswith("20261121-143005-a-20260101-000000-b-")
    assert names.read_id(run_id) == ("2026-11-21T14:30:05.000000Z", "a-20260101-000000-b")


@pytest.mark.parametrize(
    "text", ["cnn", "20261121-143005-cnn", "20261321-143005-cnn-a1b2", "20261121-143005--a1b2", "..", ""]
)
def test_names_read_id_knows_what_is_no_id(text: str) -> None:
    assert names.read_id(text) is None


def test_names_timestamp_sorts_as_time_does() -> None:
    second = datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)
    moments = [second - timedelta(microseconds=1), second, second + timedelta(microseconds=1)]
    texts = [names.timestamp(moment) for moment in moments]
    assert texts == sorted(texts)
    assert [datetime.fromisoformat(text) for text in texts] == moments
