from __future__ import annotations

import subprocess
import sys

LINES = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\\n"
    "I0000 00:00:1.2    1 port.cc:153] oneDNN custom operations are on.\\n"
    "E0000 00:00:1.2    1 cuda_platform.cc:52] failed call to cuInit: INTERNAL\\n"
    "E0000 00:00:1.2    1 util.cc:131] oneDNN supports DT_INT32 only on platforms with AVX-512. Falling back\\n"
    "E0000 00:00:1.2    1 real.cc:1] a real error\\n"
    "terminate called\\n"
)


def stderr_of(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stderr


def test_quiet_drops_log_noise_and_passes_errors() -> None:
    code = f"import os\nfrom dltrain.cli import quiet\nwith quiet.tensorflow(False):\n    os.write(2, b'{LINES}')\n"
    assert stderr_of(code) == "E0000 00:00:1.2    1 real.cc:1] a real error\nterminate called\n"


def test_quiet_verbose_shows_all() -> None:
    code = f"import os\nfrom dltrain.cli import quiet\nwith quiet.tensorflow(True):\n    os.write(2, b'{LINES}')\n"
    assert stderr_of(code).count("\n") == 6


def test_quiet_passes_the_last_output_before_a_crash() -> None:
    start = "import os\nfrom dltrain.cli import quiet\nwith quiet.tensorflow(False):\n"
    code = start + "    os.write(2, b'fatal\\n')\n    os.abort()\n"
    assert stderr_of(code) == "fatal\n"
