from __future__ import annotations

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of a config, for editors.

    \b
    dltrain schema > dltrain.schema.json
    With the YAML extension of VS Code, this first line of a config enables completion:
    # yaml-language-server: $schema=dltrain.schema.json
    """
    from dltrain.config.manual.json_schema import json_text

    click.echo(json_text(), nl=False)
