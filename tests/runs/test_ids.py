from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dltrain.runs import ids


def test_ids_new_id_is_utc_and_round_trips() -> None:
    moment = datetime(2026, 11, 21, 16, 30, 5, tzinfo=timezone(timedelta(hours=2)))
    run_id = ids.new_id(moment, "a-20260101-000000-b")
    assert run_id.startswith("20261121-143005-a-20260101-000000-b-")
    assert ids.read_id(run_id) == ("2026-11-21T14:30:05.000000Z", "a-20260101-000000-b")


@pytest.mark.parametrize(
    "text", ["cnn", "20261121-143005-cnn", "20261321-143005-cnn-a1b2", "20261121-143005--a1b2", "..", ""]
)
def test_ids_read_id_rejects_other_names(text: str) -> None:
    assert ids.read_id(text) is None


def test_ids_timestamp_sorts_chronologically() -> None:
    second = datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)
    moments = [second - timedelta(microseconds=1), second, second + timedelta(microseconds=1)]
    texts = [ids.timestamp(moment) for moment in moments]
    assert texts == sorted(texts)
    assert [datetime.fromisoformat(text) for text in texts] == moments
