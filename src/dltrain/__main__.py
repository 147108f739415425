"""`dltrain` and `python -m dltrain`."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import sys
from collections import namedtuple

_arrived: list[int] = []  # signals that ask the process to end


def main() -> None:
    """Run the command line. A `DltrainError` becomes its message and exit code; a bug keeps its traceback."""
    _fill_descriptors()
    try:
        _end_on_signals()
        _main()
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        # Nothing can be imported any more, not even what a traceback needs.
        os.write(2, b"error: too many files are open: raise the limit, as in `ulimit -n 1024`\n")
        os._exit(1)
    except KeyboardInterrupt:
        _stopped()


def _stopped() -> None:
    """End with a word, and with the exit code of the signal that arrived."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write("stopped\n")
        sys.stderr.flush()
    _forget_interrupt()
    sys.exit(128 + (_arrived[0] if _arrived else signal.SIGINT))


def _forget_interrupt() -> None:
    """Let `sys.exit` decide on the exit code.

    Python notes a `KeyboardInterrupt` that leaves the text of an `exec`, as `dataclass` and `namedtuple` run it, and
    then ends `python -m` by SIGINT whatever happened since (CPython, `run_eval_code_obj`); the next one clears it.
    """
    namedtuple("Cleared", ())


def _fill_descriptors() -> None:
    """Open /dev/null for each of stdin, stdout and stderr that is closed; else the next file would take its number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if descriptor else "r"
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8", closefd=False))


def _end_on_signals() -> None:
    """Let SIGTERM and SIGHUP end the process with a word; one that is ignored stays ignored, as under `nohup`."""

    def stop(signum: int, frame: object) -> None:
        _arrived.append(signum)
        raise KeyboardInterrupt

    for signum in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signum) is signal.SIG_DFL:
            signal.signal(signum, stop)


def _main() -> None:
    if os.name != "posix":
        sys.exit("error: dltrain runs on Linux and macOS; on Windows, use the Windows Subsystem for Linux")
    import click

    from dltrain.errors import DltrainError

    try:
        from dltrain.cli import cli, reader_left

        code = cli.main(prog_name="dltrain", standalone_mode=False)
        if sys.stdout is not None:  # the caller may have closed it
            sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as failure:
        with contextlib.suppress(OSError):  # nobody reads it
            failure.show()
        sys.exit(failure.exit_code)
    except DltrainError as error:
        from dltrain.cli import console

        with contextlib.suppress(OSError):  # the terminal is gone
            console.error(error)
        sys.exit(error.exit_code)
    except MemoryError:
        click.echo("error: out of memory", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        _stopped()
    except BrokenPipeError:
        reader_left()
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EBADF):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # otherwise Python tries again at exit
        click.echo(f"error: cannot write the output: {error.strerror}", err=True)
        sys.exit(1)
    finally:
        _flush_stderr()
        _forget_interrupt()
        gc.freeze()  # otherwise Python scans TensorFlow's objects three times at exit: half a second


def _flush_stderr() -> None:
    """Flush stderr; on failure, send it to /dev/null, since Python would fail again at exit."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


if __name__ == "__main__":
    main()
