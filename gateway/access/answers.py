"""What a caller is told whose credential is missing, wrong or not enough.

Source: RFC 6750, section 3 (WWW-Authenticate); the bodies are well-formed GraphQL responses. Nothing here says what
about a credential was wrong beyond its time, and nothing repeats it.
"""

from gateway.http.refusal import RequestRefused

_REALM = 'Bearer realm="contact-gateway"'
_ASK_AGAIN_SECONDS = 1


def no_credential() -> RequestRefused:
    message = "This gateway wants to know who calls: send `Authorization: Bearer <key or token>`."
    return RequestRefused(401, "UNAUTHENTICATED", message, {"WWW-Authenticate": _REALM})


def invalid_token(description: str = "The credential is not valid.") -> RequestRefused:
    challenge = f'{_REALM}, error="invalid_token", error_description="{description}"'
    return RequestRefused(401, "UNAUTHENTICATED", description, {"WWW-Authenticate": challenge})


def insufficient_scope(scope: str) -> RequestRefused:
    challenge = f'{_REALM}, error="insufficient_scope", scope="{scope}"'
    message = f"This needs the scope {scope}."
    return RequestRefused(403, "FORBIDDEN", message, {"WWW-Authenticate": challenge}, {"scope": scope})


def store_unavailable() -> RequestRefused:
    """Whether the credential is right cannot be looked up: that says nothing against it."""
    return _cannot_tell("STORE_UNAVAILABLE", "The gateway's own database does not answer.", _ASK_AGAIN_SECONDS)


def issuer_unavailable(seconds: int) -> RequestRefused:
    message = "The keys of the identity provider cannot be fetched, so no token can be checked."
    return _cannot_tell("IDENTITY_PROVIDER_UNAVAILABLE", message, seconds)


def _cannot_tell(code: str, message: str, seconds: int) -> RequestRefused:
    details = {"retryable": True, "retryAfterMs": seconds * 1000}
    return RequestRefused(503, code, message, {"Retry-After": str(seconds)}, details)
