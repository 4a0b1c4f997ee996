"""What a bearer's token looks like, and why it may not count, told without what checks it: that is loaded only where
there is an identity provider."""

import re

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class WrongToken(Exception):
    """Not a token that counts here; `expired` is the only thing that its bearer is told about it."""

    def __init__(self, *, expired: bool = False) -> None:
        super().__init__("the token does not count")
        self.expired = expired


class KeysUnavailable(Exception):
    """No keys are known yet and they cannot be fetched; ask again in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__("the keys of the identity provider cannot be fetched")
        self.seconds = seconds


def is_token(text: str) -> bool:
    """Whether it has the form of a signed token in compact serialisation (RFC 7515, section 7.1)."""
    return _COMPACT.fullmatch(text) is not None
