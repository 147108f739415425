"""The times of rows: dates, or numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dltrain.data.tables.table import Table, Texts, Wrong

_EPOCH = datetime(1970, 1, 1)


def times_of(table: Table, column: Texts, form: str | None) -> Iterator[float]:
    """Return the time of each row in seconds, or the number that it is. Raises Wrong at the first that is none."""
    for word in column.names[len(column.times) :]:
        found = moment(word, form)
        if found is None and word:
            row = column.codes.index(column.words[word])
            message = f"`{column.name}` has no time in {table.place(row)} of {table.file}: {word[:40]!r}"
            raise Wrong("time", message, "write its form, as in `date_format: '%d.%m.%Y'`")
        column.times.append(found if found is not None else float("nan"))  # such rows are left out
    return map(column.times.__getitem__, column.codes)


def moment(text: str, form: str | None) -> float | None:
    """Return a date as seconds since 1970, or a number; None if a text is neither. Without a zone, UTC is meant."""
    try:
        if form is not None:
            date = datetime.strptime(text, form)
        else:
            try:
                number = float(text)
                return number if abs(number) < 1e300 else None
            except ValueError:
                date = datetime.fromisoformat(text)
    except ValueError:
        return None
    return date.timestamp() if date.tzinfo is not None else (date - _EPOCH).total_seconds()
