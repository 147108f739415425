"""The data sets that a config may name: one module per source, one row each in `SOURCES`."""

from __future__ import annotations

from dltrain.data.sources import (
    arrays,
    csv,
    digits,
    downloaded,
    image_folder,
    image_table,
    mnist,
    parquet,
    series,
    synthetic,
    text,
    text_folder,
)
from dltrain.data.sources.source import Source

_IMAGES = (image_folder.SOURCE, image_table.SOURCE)
_OWN = (arrays.SOURCE, *_IMAGES, csv.SOURCE, parquet.SOURCE, series.SOURCE, text.SOURCE, text_folder.SOURCE)
_ALL = (mnist.SOURCE, digits.SOURCE, synthetic.SOURCE, *downloaded.SOURCES, *_OWN)
SOURCES: dict[str, Source] = {source.name: source for source in _ALL}
