"""The items of Cometly's lists, as strings or objects (docs/providers/cometly.md, ambiguity 1)."""

from collections.abc import Iterable

from gateway.connectors.cometly import wire


def items(values: wire.Values) -> Iterable[tuple[str, bool]]:
    for value in values or ():
        text = value if isinstance(value, str) else value.text
        if text and text.strip():
            yield text, not isinstance(value, str) and bool(value.primary or value.is_primary)


def texts(values: wire.Values) -> list[str]:
    """Newest first, as Cometly sends them; one that it marks as primary goes before all."""
    return [text for text, _ in sorted(items(values), key=lambda item: not item[1])]
