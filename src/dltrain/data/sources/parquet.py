"""A table in a Parquet file."""

from __future__ import annotations

from dltrain.data.sources.csv import COLUMNS, PATHS, source_of
from dltrain.data.tables.parquet_file import ParquetReader

SOURCE = source_of(
    "parquet",
    "Your own table in a Parquet file, as `csv` takes one: `pip install 'dltrain[tables]'`.",
    {**PATHS, **COLUMNS},
    lambda arguments: ParquetReader(),
    {"path": "table.parquet", "target": "price"},
)
