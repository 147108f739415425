"""The data sets that a config may name: one module per source, one row each in `SOURCES`."""

from __future__ import annotations

from dltrain.data.sources import (
    arrays,
    csv,
    digits,
    downloaded,
    image_folder,
    mnist,
    series,
    synthetic,
    text,
    text_folder,
)
from dltrain.data.sources.source import Source

_OWN = (arrays.SOURCE, image_folder.SOURCE, csv.SOURCE, series.SOURCE, text.SOURCE, text_folder.SOURCE)
_ALL = (mnist.SOURCE, digits.SOURCE, synthetic.SOURCE, *downloaded.SOURCES, *_OWN)
SOURCES: dict[str, Source] = {source.name: source for source in _ALL}
