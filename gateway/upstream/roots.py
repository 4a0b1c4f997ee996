"""Whose certificates are believed: the roots of certifi, unless SSL_CERT_FILE or SSL_CERT_DIR name others.

Not every machine has roots of its own.
"""

import os
import ssl
from functools import lru_cache

import certifi


def verifying() -> ssl.SSLContext:
    """The same one for all who ask with the same environment: the roots take two thirds of a megabyte each time that
    they are read. Nobody may change it.

    Raises:
        OSError: for a file of roots that is not there, or holds none.
    """
    return _verifying(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=1)
def _verifying(file: str | None, folder: str | None) -> ssl.SSLContext:
    """As httpx reads the two: the file alone where both are named, and what is empty as what is not there."""
    if file:
        return ssl.create_default_context(cafile=file)
    if folder:
        return ssl.create_default_context(capath=folder)
    return ssl.create_default_context(cafile=certifi.where())
