"""A body that a provider compressed although it was asked not to, in pieces that are no larger than others."""

import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

MAX_PIECE_BYTES = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


def unpacking_for(headers: Mapping[str, str]) -> "Unpacking | None":
    """None where nothing is packed. Codings that nobody here can undo are told when the body is read."""
    coding = headers.get("content-encoding", "").strip().lower()
    return None if coding in ("", "identity") else Unpacking(coding)


class Unpacking:
    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._inflating = zlib.decompressobj(_GZIP) if coding in ("gzip", "x-gzip") else None
        self._left = b""

    async def piece(self, packed_piece: Callable[[], Awaitable[bytes]]) -> bytes:
        """
        Raises:
            aiohttp.ClientPayloadError: because of a ContentEncodingError.
        """
        while packed := self._left or await packed_piece():
            if piece := self._unpacked(packed):
                return piece
        if self._inflating is not None and not self._inflating.eof:
            _refuse("it breaks off")
        return b""

    def _unpacked(self, packed: bytes) -> bytes:
        if self._inflating is None:
            self._inflating = self._begun(packed[0])
        try:
            piece = self._inflating.decompress(packed, MAX_PIECE_BYTES)
        except zlib.error as error:
            _refuse(str(error))
        self._left = self._inflating.unconsumed_tail
        if self._inflating.unused_data:
            _refuse("something stands behind it")
        return piece

    def _begun(self, first: int) -> "zlib._Decompress":
        if self._coding != "deflate":
            _refuse(f"{self._coding} was not asked for")
        # With zlib's own head, as RFC 9110 says (section 8.4.1.2), or without it, as many do.
        return zlib.decompressobj(zlib.MAX_WBITS if first & 0x0F == 8 else -zlib.MAX_WBITS)


def _refuse(why: str) -> NoReturn:
    raise aiohttp.ClientPayloadError("The body cannot be unpacked.") from ContentEncodingError(why)
