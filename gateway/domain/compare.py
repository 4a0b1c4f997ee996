"""When two texts mean the same thing: used to unite lists, never to change what is stored."""

import unicodedata


def text_key(text: str) -> str:
    """Case, width, composition and runs of white space do not count."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def email_key(address: str) -> str:
    """Upper and lower case are equal in the whole address, as every provider assumed so far treats it."""
    if address.isascii():
        # There is only one way to write it.
        return address.strip().lower()
    return unicodedata.normalize("NFC", address.strip()).lower()
