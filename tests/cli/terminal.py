"""Run a process in an 80-column terminal, and render the screen that a user sees."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from pathlib import Path

COLUMNS, ROWS = 80, 24
PATIENCE = 120  # seconds without any output
SEQUENCE = re.compile(r"\x1b\[(\?)?([\d;]*)([A-Za-z])")


class Screen:
    """The part of a terminal that a live display needs: lines, cursor up, erase, hidden cursor; ignores colours."""

    def __init__(self) -> None:
        self.lines = [""]
        self.row = self.column = 0
        self.cursor_visible = True
        self.wrapped = False
        self.unknown: list[str] = []

    def feed(self, text: str) -> None:
        position = 0
        while position < len(text):
            if found := SEQUENCE.match(text, position):
                self._control(found[2], found[3])
                position = found.end()
            else:
                self._put(text[position])
                position += 1

    def shown(self) -> list[str]:
        """Return the visible lines without empty ones."""
        return [line.rstrip() for line in self.lines if line.strip()]

    def _control(self, number: str, kind: str) -> None:
        if kind == "A":
            self.row = max(0, self.row - int(number or 1))
        elif kind == "K":
            line = self.lines[self.row]
            self.lines[self.row] = "" if number == "2" else line[: self.column]
        elif kind in "hl" and number == "25":
            self.cursor_visible = kind == "h"
        elif kind != "m":
            self.unknown.append(f"{number}{kind}")

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            self.lines += [""] * (self.row + 1 - len(self.lines))
        elif character >= " ":
            if self.column == COLUMNS:
                self.wrapped = True
                self._put("\r")
                self._put("\n")
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1
        elif character != "\x07":
            self.unknown.append(repr(character))


def run_in_terminal(folder: Path, *arguments: object, interrupt_after: str = "\0") -> tuple[int, str]:
    """Run the command with a terminal as stdin, stdout and stderr; return its exit code and its output.

    Ctrl-C is typed once after `interrupt_after`, in a pause of the output: on Ctrl-C, the kernel drops unread output.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "dltrain", *map(str, arguments)],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environment, "TERM": "xterm-256color"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    sent, typed = b"", False
    while more := _read(ours, process):
        sent += more
        if not typed and interrupt_after.encode() in sent and not select.select([ours], [], [], 0.02)[0]:
            os.write(ours, b"\x03")
            typed = True
    os.close(ours)
    return process.wait(timeout=PATIENCE), sent.decode()


def _read(descriptor: int, process: subprocess.Popen[bytes]) -> bytes:
    """Read the next output; return nothing once the last process on the other side has exited."""
    if not select.select([descriptor], [], [], PATIENCE)[0]:
        process.kill()
        raise TimeoutError(f"no output for {PATIENCE} seconds")
    try:
        return os.read(descriptor, 65536)
    except OSError:  # EIO, on Linux
        return b""
