from __future__ import annotations

from pathlib import Path

import click

from dltrain.cli.options import json_option, runs_dir_option


@click.command("ls")
@json_option
@runs_dir_option
def command(as_json: bool, runs_dir: Path) -> None:
    """List the runs, newest last."""
    from dltrain import runs
    from dltrain.runs.json_text import to_json

    summaries = runs.list_runs(runs_dir)
    if as_json:
        keys = ("id", "name", "status", "created")
        rows = [
            {
                **(s.record.to_fields() if s.record else {}),
                **{key: getattr(s, key) for key in keys},
                "path": str(s.path),
                "resumes_from": s.resumes_from(),
            }
            for s in summaries
        ]
        click.echo(to_json(rows, indent=None), nl=False)
        return
    from dltrain.cli import tables

    tables.run_list(summaries, runs_dir)
