"""The data sets that a config may name: one module per source, one row each in `SOURCES`."""

from __future__ import annotations

from dltrain.data.sources import digits, mnist, synthetic
from dltrain.data.sources.source import Source

SOURCES: dict[str, Source] = {source.name: source for source in (mnist.SOURCE, digits.SOURCE, synthetic.SOURCE)}
