"""Whether a text is an email address, by its syntax alone: nobody is asked whether its domain exists."""

import re
from functools import lru_cache
from typing import Final

from email_validator import EmailNotValidError, validate_email

# What every part of an ordinary address is made of (RFC 5322, dot-atom; RFC 5321, section 4.5.3.1): of these the two
# sides of the sign have nothing to do with each other.
_LOCAL: Final = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_DOMAIN: Final = re.compile(r"[A-Za-z0-9.-]+")
_MOST_CHARACTERS: Final = 254
# Addresses are many, their domains are few.
_REMEMBERED_DOMAINS: Final = 1_000


def is_email_address(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    # An internationalised domain is measured in another form than it is written in.
    is_ordinary = len(text) <= _MOST_CHARACTERS and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)
    return _has_addresses(domain) if is_ordinary and "xn--" not in domain.lower() else _is_valid(text)


@lru_cache(maxsize=_REMEMBERED_DOMAINS)
def _has_addresses(domain: str) -> bool:
    return _is_valid(f"a@{domain}")


def _is_valid(text: str) -> bool:
    try:
        # No DNS; `test_environment` welcomes the reserved domain .test (RFC 2606).
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True
