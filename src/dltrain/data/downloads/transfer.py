"""The transfer of one file over HTTPS: certificates verified, never redirected to less, bounded, and told."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from dltrain.data.downloads.remote import MIRROR, Remote
from dltrain.data.progress import tell
from dltrain.errors import DataError

LARGEST = 2**28  # bytes; CIFAR-10, the largest file here, has 170 MB
_PART = 2**18  # bytes
_MIB = 2**20
_TIMEOUT = 30  # seconds without a byte
_PAUSE = 0.2  # seconds between two tellings


class Failure(Exception):
    """A file cannot be had from a server; its text is the reason."""


def urls(remote: Remote) -> tuple[str, ...]:
    """Return where a file may be had: from the mirror that DLTRAIN_MIRROR names, then from where it comes.

    Raises DataError if the mirror is no URL.
    """
    mirror = os.environ.get(MIRROR, "").strip()
    if not mirror:
        return (remote.url,)
    if not mirror.startswith(("https://", "http://")):
        hint = "write the URL of a folder, such as https://mirror.example/datasets"
        raise DataError(f"{MIRROR} must begin with https:// or http://, not {mirror[:80]!r}", hint)
    return (f"{mirror.rstrip('/')}/{remote.path}", remote.url)


def received(name: str, url: str) -> Iterator[tuple[bytes, int | None]]:
    """Yield the parts of a file as they arrive, each with the length of the whole file where the server says it.

    Args:
        name: what is downloaded, as it is told.
        url: of the file; only a mirror may be without HTTPS.

    Raises Failure if it cannot be had, or ends early.
    """
    got, told = 0, 0.0
    with _refusals(), _opened(url) as response:
        length = _length(response)
        while part := response.read1(_PART):
            got += len(part)
            if max(got, length or 0) > LARGEST:
                raise Failure(f"it has more than {LARGEST // _MIB} MiB")
            yield part, length
            if time.monotonic() >= told + _PAUSE or got == length:
                told = time.monotonic()
                tell(f"downloading {name}", -(-got // _MIB), -(-(length or got) // _MIB), "MiB")
    if got == 0 or (length is not None and got < length):
        raise Failure(f"the connection ended after {got:,} of {length or 0:,} bytes")


class _NoLess(HTTPRedirectHandler):
    """Follows redirections, but not from HTTPS to anything else."""

    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).scheme != "https" and urlsplit(req.full_url).scheme == "https":
            raise Failure("the server redirects to a URL without HTTPS")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opened(url: str) -> http.client.HTTPResponse:
    opener = build_opener(HTTPSHandler(context=ssl.create_default_context()), _NoLess)
    response: http.client.HTTPResponse = opener.open(Request(url), timeout=_TIMEOUT)
    return response


def _length(response: http.client.HTTPResponse) -> int | None:
    written = response.headers.get("Content-Length", "")
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 16 else None


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn everything that a server or the way to it does into a Failure."""
    try:
        yield
    except HTTPError as error:
        phrase = next((status.phrase for status in HTTPStatus if status == error.code), "")
        raise Failure(f"the server answers {error.code} {phrase}".rstrip()) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Failure(_reason(error)) from None


def _reason(error: BaseException) -> str:
    """Return why a server cannot be asked, without words of the server's own."""
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        return _reason(error.reason)
    if isinstance(error, socket.gaierror):
        return "the name of the server is not found: there is no network, or no such server"
    if isinstance(error, TimeoutError):
        return f"the server has been silent for {_TIMEOUT} seconds"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of the server is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no HTTPS with the server: {error.reason or 'its answer is no TLS'}"
    if isinstance(error, http.client.IncompleteRead):
        return f"the connection ended after {len(error.partial):,} bytes of a part"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"the answer of the server cannot be read ({type(error).__name__})"
