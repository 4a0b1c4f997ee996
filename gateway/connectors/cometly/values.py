"""The items of Cometly's lists, as strings or objects (docs/providers/cometly.md, ambiguity 1)."""

from collections.abc import Iterable

from gateway.connectors.cometly import wire


def items(values: wire.Values) -> Iterable[tuple[str, bool]]:
    for value in values or ():
        if isinstance(value, str):
            text, primary = value, False
        else:
            text, primary = value.text or "", bool(value.primary or value.is_primary)
        if text and not text.isspace():
            yield text, primary


def texts(values: wire.Values) -> list[str]:
    """Newest first, as Cometly sends them; one that it marks as primary goes before all."""
    found = list(items(values))
    if len(found) > 1:
        found.sort(key=lambda item: not item[1])
    return [text for text, _ in found]
