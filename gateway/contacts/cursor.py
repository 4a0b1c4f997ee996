"""The cursor of a list: where each provider's walk stands, opaque, versioned, checked, bound to its arguments.

It is checked, not secret: it holds no more than page numbers and the providers' own cursors.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Annotated

import msgspec

from gateway.connectors.base import ContactFilter
from gateway.domain.contact import Provider
from gateway.domain.errors import InputProblem, InvalidInput

VERSION = 1
_CHECK_BYTES = 8
_MAX_CHARACTERS = 10_000


class Position(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`skip` items of the page behind `token` were dealt already; `total` is what the provider said last."""

    token: str | None = None
    skip: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    done: bool = False
    total: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None


class _Content(msgspec.Struct, frozen=True, array_like=True):
    version: int
    arguments: str
    positions: dict[str, Position]
    turn: str


def fingerprint(providers: Sequence[Provider], wanted: ContactFilter) -> str:
    """What a cursor is bound to: the same walk over the same providers."""
    text = msgspec.json.encode([providers, wanted])
    return blake2b(text, digest_size=8).hexdigest()


class Standing(msgspec.Struct, frozen=True, gc=False):
    """Where the whole list stands: each provider's position, and whose turn it is (None: the first one's)."""

    positions: Mapping[Provider, Position]
    turn: Provider | None = None

    def after(self, _: int) -> "Standing":
        return self


class Page(msgspec.Struct, frozen=True, gc=False):
    """A page of one provider's list. `shown` are the places of those of its items that appear in ours; `token` asks for
    it again, `next_token` for the one after it."""

    token: str
    next_token: str | None
    total: int | None
    shown: Sequence[int]

    def position(self, dealt: int) -> Position:
        """Once so many of those that appear have been dealt; past the last one, the beginning of the next page."""
        if dealt < len(self.shown):
            return Position(self.token, self.shown[dealt], False, self.total)
        return Position(self.next_token, 0, self.next_token is None, self.total)


class Stretch(msgspec.Struct, frozen=True, gc=False):
    """Records of one page that follow each other in our list: `dealt` of the page's came before them, and `standing` is
    where the list goes on after the last one."""

    standing: Standing
    provider: Provider
    page: Page
    dealt: int

    def after(self, place: int) -> Standing:
        """Where the list goes on after one of them."""
        position = self.page.position(self.dealt + place + 1)
        return Standing({**self.standing.positions, self.provider: position}, self.standing.turn)


class Mark(msgspec.Struct, frozen=True, gc=False):
    """A place in a list, worked out and made a cursor only where somebody asks for it."""

    arguments: str
    within: Standing | Stretch
    place: int = 0

    def __str__(self) -> str:
        return write_cursor(self.arguments, self.within.after(self.place))


def write_cursor(arguments: str, standing: Standing) -> str:
    positions = {str(provider): position for provider, position in standing.positions.items()}
    content = _Content(VERSION, arguments, positions, standing.turn or "")
    text = msgspec.json.encode(content)
    return urlsafe_b64encode(_check(text) + text).rstrip(b"=").decode("ascii")


def read_cursor(cursor: str, arguments: str) -> Standing:
    """
    Raises:
        InvalidInput: at `after`, for what write_cursor did not make, or made for other arguments.
    """
    try:
        if len(cursor) > _MAX_CHARACTERS:
            raise ValueError
        packed = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        check, text = packed[:_CHECK_BYTES], packed[_CHECK_BYTES:]
        if check != _check(text):
            raise ValueError
        content = msgspec.json.decode(text, type=_Content)
        positions = {Provider(name): position for name, position in content.positions.items()}
        standing = Standing(positions, Provider(content.turn) if content.turn else None)
    except (ValueError, RecursionError):
        raise _problem("MALFORMED_CURSOR", "is not a cursor of this gateway; send an endCursor as it came") from None
    if content.version != VERSION:
        raise _problem("OUTDATED_CURSOR", "was made by another version of the gateway; start again without it")
    if content.arguments != arguments:
        message = "was made for other providers or another filter; send the same ones, or start again without it"
        raise _problem("FOREIGN_CURSOR", message)
    return standing


def _check(text: bytes) -> bytes:
    return blake2b(text, digest_size=_CHECK_BYTES, person=b"contacts cursor").digest()


def _problem(code: str, message: str) -> InvalidInput:
    return InvalidInput(InputProblem(path=("after",), code=code, message=message))
