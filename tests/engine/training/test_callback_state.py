"""The callback state that a checkpoint saves for the next process."""

from __future__ import annotations

from dltrain.config.catalogue import entries
from dltrain.engine.training import callback_state


def test_callback_state_covers_every_callback_of_the_catalogue() -> None:
    assert set(callback_state._CARRIED) == set(entries.names("callback"))
