"""What the HTTP face tells whoever counts: requests as they come and go, and which were refused."""

from dataclasses import dataclass

REFUSED = "refused"
"""Where the code of a refusal stands in the state of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One request, or one operation over a WebSocket (which has no `status` of its own), when all of its answer is
    sent. `code` is that of a refusal before execution."""

    status: int | None
    code: str | None
    seconds: float


class Traffic:
    """Hears nothing; whoever wants to hear overrides. Nothing here may block or raise."""

    def came(self) -> None:
        """A request came in; `left` follows, however it ends."""

    def left(self, served: Served) -> None:
        """It is over. The names of the log's context are still those of the request."""
