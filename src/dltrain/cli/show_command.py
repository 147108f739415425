from __future__ import annotations

from pathlib import Path

import click

from dltrain.cli.options import json_option, run_argument, runs_dir_option


@click.command("show")
@run_argument
@json_option
@runs_dir_option
def command(run: str, as_json: bool, runs_dir: Path) -> None:
    """Show RUN: its command, data, device and result, and its metrics epoch by epoch."""
    from dltrain import runs
    from dltrain.runs.json_text import to_json

    found = runs.find(run, runs_dir)
    if as_json:
        record = found.record()
        shown = {
            **record.to_fields(),
            "status": found.status_of(record),
            "path": str(found.path),
            "epochs": found.metrics(),
        }
        click.echo(to_json(shown, indent=None), nl=False)
        return
    from dltrain.cli import tables

    tables.run(found)
