"""The times of rows: dates, or numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from dltrain.data.tables.table import Table, Texts, Wrong

_EPOCH = datetime(1970, 1, 1)
_MOST_TRIED = 1_000  # dates
_DAYS = ("%Y-%m", "%Y/%m", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y.%m.%d", "%b %Y", "%d %b %Y")
_CLOCKS = ("", " %H:%M:%S", " %H:%M", " %I:%M %p", " %H:%M:%S.%f")
_USUAL = tuple(f"{day}{clock}" for day in _DAYS for clock in _CLOCKS)


def times_of(table: Table, column: Texts, form: str | None) -> Iterator[float]:
    """Return the time of each row in seconds, or the number that it is. Raises Wrong with those that are none."""
    bad: list[str] = []
    for word in column.names[len(column.times) :]:
        found = moment(word, form)
        if found is None and word:
            bad.append(word)
        column.times.append(found if found is not None else float("nan"))  # such rows are left out
    if bad:
        codes = {column.words[word] for word in bad}
        rows = [row for row, code in enumerate(column.codes) if code in codes]
        message = f"`{column.name}` has no time in {table.places(rows, len(rows))} of {table.file}: {bad[0][:40]!r}"
        more = ", …" if len(bad) > 1 else ""
        raise Wrong("time", f"{message}{more}", _mend(bad, form))
    return map(column.times.__getitem__, column.codes)


def _mend(words: Sequence[str], form: str | None) -> str:
    """Return which form to write for dates, if one of the usual ones fits all."""

    def fits(usual: str) -> bool:
        return usual != form and all(moment(word, usual) is not None for word in words[:_MOST_TRIED])

    likely = next(filter(fits, _USUAL), None)
    if likely is not None:
        return f"write `date_format: '{likely}'`"
    read = f"it does not have the form `{form}`" if form is not None else "it is neither ISO 8601 nor a number"
    return f"{read}: write its form with the codes of strptime, such as `date_format: '%d.%m.%Y %H:%M'`"


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
    except (ValueError, re.error):  # `strptime` makes a pattern of the form
        return None
    return date.timestamp() if date.tzinfo is not None else (date - _EPOCH).total_seconds()
