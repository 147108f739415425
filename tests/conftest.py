from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.helpers import TINY, Command, Trained

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# A shell starts background jobs with SIGINT ignored, and `nohup` its command with SIGHUP ignored.
# Children inherit that; tests send both.
for _signum, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_signum) is signal.SIG_IGN:
        signal.signal(_signum, _handler)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A config that trains quickly."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def dltrain(tmp_path: Path) -> Command:
    return Command(tmp_path)
