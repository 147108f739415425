"""`dltrain` and `python -m dltrain`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line; a `DltrainError` becomes its message and exit code, a bug keeps its traceback."""
    from dltrain.cli import cli
    from dltrain.errors import DltrainError

    try:
        cli.main(prog_name="dltrain", standalone_mode=True)
    except DltrainError as error:
        from dltrain.cli import console

        console.error(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(141)  # the reader of a pipe, such as `head`, has gone


if __name__ == "__main__":
    main()
