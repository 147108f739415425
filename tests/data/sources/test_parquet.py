"""The source `parquet`: the same samples as the same table in a CSV file."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.data.loading import load
from dltrain.data.sources.parquet import SOURCE
from dltrain.errors import DataError

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

COLUMNS: dict[str, Any] = {
    "a": [1, 2, None, 4, 5, 6, 7, 8],
    "b": [0.5, float("nan"), 2.5, 3.5, 4.5, 5.5, 6.5, 7.5],
    "c": ["x", "y", None, "x", "y", "x", "y", "x"],
    "day": [datetime(2024, 1, 1) + timedelta(days=i) for i in range(8)],
    "y": [True, False] * 4,
}


def written(folder: Path, **more: Any) -> dict[str, Any]:
    table = arrow.table({**COLUMNS, "c": arrow.array(COLUMNS["c"]).dictionary_encode()})
    parquet.write_table(table, folder / "t.parquet")
    lines = [",".join(COLUMNS)]
    for row in zip(*COLUMNS.values(), strict=True):
        lines.append(",".join("" if cell is None or cell != cell else str(cell).lower() for cell in row))
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    return {"target": "y", "categorical": "c", "missing": "mean", "time": "day", "scale": "standard", **more}


@pytest.mark.parametrize("rule", ["mean", "median", "drop"])
def test_parquet_gives_the_samples_of_the_same_csv(tmp_path: Path, rule: str) -> None:
    given = written(tmp_path, missing=rule)
    options: dict[str, Any] = {"validation": 0.2, "test": 0.3, "limit_train": None, "limit_test": None, "seed": 1}
    found = [
        load(name, {"path": str(tmp_path / f"t.{name}"), **given}, task="classification", **options)
        for name in ("csv", "parquet")
    ]
    assert np.array_equal(found[0].train.x, found[1].train.x)
    assert np.array_equal(found[0].test.x, found[1].test.x)
    assert found[0].facts.labels == found[1].facts.labels == ("false", "true")
    assert found[0].test_indices.tolist() == found[1].test_indices.tolist()


def test_parquet_says_what_is_wrong(tmp_path: Path) -> None:
    def wrong(**given: Any) -> str:
        filled = SOURCE.filled({"path": str(tmp_path / "t.parquet"), **given})
        with pytest.raises(DataError) as raised:
            SOURCE.read(filled, "classification")
        return f"{raised.value} | {raised.value.hint}"

    given = written(tmp_path)
    assert "lack" in wrong(**given | {"missing": "fail"}) or "missing" in wrong(**given | {"missing": "fail"})
    assert "'x' in row 0" in wrong(**given | {"categorical": None})
    assert "no column `z`" in wrong(**given | {"target": "z"})
    assert "does not exist | there are t.parquet" in wrong(**given | {"path": str(tmp_path / "u.parquet")})
    parquet.write_table(arrow.table({"y": [1, 2], "f": [[1], [2]]}), tmp_path / "t.parquet")
    assert "no number and no text" in wrong(target="y", categorical="f")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 no table PAR1")
    assert "no Parquet file, or damaged" in wrong(**given)
