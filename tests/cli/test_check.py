from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path

import pytest
from tests.helpers import TINY, Command, Done

from dltrain.cli.check_command import command
from dltrain.config.catalogue import entries

WARNED = "train.optimizer.Adam.learning_rate=2"


def test_check_prints_ok_in_one_line(dltrain: Command, tiny: Path) -> None:
    done = dltrain("check", tiny)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tiny}: ok (3 layers, 67 parameters, data set synthetic)\n"


def test_check_verbose_shows_layers_without_tensorflow(dltrain: Command, tiny: Path) -> None:
    done = dltrain("check", tiny, "-v")
    assert re.search(r"(?m)^dense_1 +\(3,\) +27 +24$", done.stdout)
    assert re.search(r"(?m)^total +67 +56$", done.stdout)


def test_check_verbose_reports_where_shape_inference_stops(dltrain: Command, tiny: Path) -> None:
    sparse = "model.layers.1={Hashing: {num_bins: 8, output_mode: count, sparse: true}}"
    done = dltrain("check", tiny, "-v", "-s", sparse)
    assert "no rule for layer 2, `Hashing`" in done.stdout
    assert re.search(r"(?m)^dense +\(8,\)", done.stdout)
    assert "no rule" not in dltrain("check", tiny, "-s", sparse).stdout


def test_check_reports_warnings_and_fails_on_them_only_when_strict(dltrain: Command, tiny: Path) -> None:
    done = dltrain("check", tiny, "-s", WARNED)
    assert done.returncode == 0
    assert "warning: a learning rate of 2" in done.stderr
    assert "ok" in done.stdout
    strict = dltrain("check", tiny, "-s", WARNED, "--strict")
    assert strict.returncode == 2
    assert "error: a learning rate of 2" in strict.stderr
    assert strict.stdout == ""
    assert strict.stderr.endswith("1 problem in the overrides\n")


def test_check_counts_errors_and_warnings_separately(dltrain: Command, tiny: Path) -> None:
    done = dltrain("check", tiny, "-s", WARNED, "-s", "train.epochs=0")
    assert done.stderr.endswith("1 problem and 1 warning in the overrides\n")


def test_check_json_locates_a_problem_in_an_override(dltrain: Command, tiny: Path) -> None:
    done = dltrain("check", tiny, "--format", "json", "-s", "train.epochs=x")
    assert done.returncode == 2
    assert done.stderr == ""
    (problem,) = json.loads(done.stdout)
    assert problem["file"] == "-s train.epochs=x"
    assert (problem["line"], problem["column"], problem["end"]) == (1, 17, 18)
    assert problem["path"] == ["train", "epochs"]
    assert problem["code"] == "wrong-type"


@pytest.mark.parametrize(("output_format", "empty"), [("json", "[]\n"), ("github", "")])
def test_check_formats_report_nothing_for_a_valid_config(
    dltrain: Command, tiny: Path, output_format: str, empty: str
) -> None:
    done = dltrain("check", tiny, "--format", output_format)
    assert (done.returncode, done.stdout, done.stderr) == (0, empty, "")


def test_check_formats_report_warnings(dltrain: Command, tiny: Path) -> None:
    done = dltrain("check", tiny, "--format", "github", "-s", WARNED)
    assert done.returncode == 0
    assert done.stdout.startswith("::warning title=dltrain%3A learning-rate::a learning rate of 2")


def test_check_resolved_is_a_config_with_the_origin_of_each_value(dltrain: Command, tiny: Path, tmp_path: Path) -> None:
    done = dltrain("check", tiny, "--resolved", "-s", "train.epochs=9")
    assert re.search(r"(?m)^  epochs: 9 +# -s train.epochs=9$", done.stdout)
    assert re.search(rf"(?m)^        units: 8 +# {tiny}:8$", done.stdout)
    assert re.search(r"(?m)^  batch_size: 32 +# default$", done.stdout)
    again = tmp_path / "again.yaml"
    again.write_text(done.stdout)
    assert dltrain("check", again).returncode == 0


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    """Results of the commands that need TensorFlow but no separate process."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "tiny.yaml").write_text(TINY)
    wrong = "model.layers.1={EinsumDense: {equation: 'abc,cd->abd', output_shape: [2, 3]}}"
    sparse = "model.layers.0={Hashing: {num_bins: 8, output_mode: count, sparse: true}}"  # no rule for what follows
    commands = {
        "valid": ("check", "tiny.yaml", "--build"),
        "rejected": ("check", "tiny.yaml", "--build", "-s", sparse, "-s", wrong),
        "fit": ("fit", "tiny.yaml", "--smoke", "-s", "train.batch_size=4096"),
    }
    done = dict(zip(commands, Command(folder).in_turn(*commands.values()), strict=True))
    assert len(list(folder.glob("runs/*"))) == 1, "`check` leaves no run"
    return done


def test_check_build_shows_layers_loss_time_and_memory(built: dict[str, Done]) -> None:
    done = built["valid"]
    assert done.returncode == 0, done.stderr
    assert re.search(r"(?m)^dense +\(8,\) +40 +32$", done.stdout)
    assert re.search(r"(?m)^initial loss +\d\.\d+ \(uniform guesses: 1\.099\)$", done.stdout)
    assert re.search(r"(?m)^time per epoch +about \d+\.\d s, 6 steps", done.stdout)
    assert re.search(r"(?m)^peak memory +\d[\d.]* (MiB|GiB)", done.stdout)


@pytest.mark.parametrize(
    ("installed", "noted"), [("3.99.0", True), ("3.1.0", True), ("{known}.99", False), ("", False)]
)
def test_check_notes_a_different_installed_keras(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], installed: str, noted: bool
) -> None:
    known = ".".join(entries.keras_version().split(".")[:2])

    def version(name: str) -> str:
        if not installed:
            raise metadata.PackageNotFoundError(name)
        return installed.format(known=known)

    monkeypatch.setattr(metadata, "version", version)
    # Not with CliRunner: before click 8.2 it mixes stdout and stderr.
    command.main([str(tiny), "--strict", "--format", "json"], standalone_mode=False)
    captured = capsys.readouterr()
    assert captured.out == "[]\n"
    line = f"note: Keras {installed} is installed, but dltrain checks against Keras {known}: "
    assert captured.err == (f"{line}pip install 'keras=={known}.*'\n" if noted else "")


def test_check_build_reports_keras_errors_at_the_layer(built: dict[str, Done]) -> None:
    done = built["rejected"]
    assert done.returncode == 2
    assert "Keras refuses layer 2, `EinsumDense`" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_fit_shows_warnings_before_training(built: dict[str, Done]) -> None:
    done = built["fit"]
    assert done.returncode == 0
    assert done.stderr.startswith("warning: a batch of 4,096")
