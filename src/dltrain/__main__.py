"""`dltrain` and `python -m dltrain`."""

from __future__ import annotations

import errno
import gc
import os
import sys


def main() -> None:
    """Run the command line. A `DltrainError` becomes its message and exit code; a bug keeps its traceback."""
    try:
        _main()
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        # Nothing can be imported any more, not even what a traceback needs.
        os.write(2, b"error: too many files are open: raise the limit, as in `ulimit -n 1024`\n")
        os._exit(1)


def _main() -> None:
    if os.name != "posix":
        sys.exit("error: dltrain runs on Linux and macOS; on Windows, use the Windows Subsystem for Linux")
    import click

    from dltrain.cli import cli
    from dltrain.errors import DltrainError

    try:
        code = cli.main(prog_name="dltrain", standalone_mode=False)
        if sys.stdout is not None:  # the caller may have closed it
            sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as failure:
        failure.show()
        sys.exit(failure.exit_code)
    except DltrainError as error:
        from dltrain.cli import console

        console.error(error)
        sys.exit(error.exit_code)
    except MemoryError:
        click.echo("error: out of memory", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EBADF):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # otherwise Python tries again at exit
        click.echo(f"error: cannot write the output: {error.strerror}", err=True)
        sys.exit(1)
    finally:
        _flush_stderr()
        gc.freeze()  # otherwise Python scans TensorFlow's objects three times at exit: half a second


def _flush_stderr() -> None:
    """Flush stderr; on failure, send it to /dev/null, since Python would fail again at exit."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


if __name__ == "__main__":
    main()
