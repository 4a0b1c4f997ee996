"""What the parser lets pass in a request's head although two servers could read it differently.

The parser (llhttp, strict) itself refuses Content-Length beside Transfer-Encoding, Content-Length twice, folded
lines, line ends without CR and control characters.

Source: RFC 9112, sections 2.3, 3.2, 6.1 and 11.2; RFC 9110, section 5.3.
"""

import re
from collections.abc import Sequence

from gateway.http.refusal import RequestRefused, over_limit

MAX_URL_BYTES = 8_192
MAX_HEADERS = 100

Headers = Sequence[tuple[bytes, bytes]]

# A proxy in front may have looked at the other one.
_ONCE = (b"host", b"content-type", b"authorization", b"origin", b"transfer-encoding")
_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)[/?]?", re.IGNORECASE)


def check_head(method: bytes, url: bytes, version: str, headers: Headers) -> None:
    """`headers` have names in lower case.

    Raises:
        RequestRefused: with 400.
    """
    if version not in ("1.0", "1.1"):
        raise malformed("Speak HTTP/1.1.")
    sent = dict(headers)
    if len(sent) != len(headers):
        _check_once([name for name, _ in headers])
    _check_target(method, url)
    _check_host(url, version, sent.get(b"host"))
    _check_coding(version, sent.get(b"transfer-encoding"))


def check_handshake(headers: Headers) -> None:
    """Of a WebSocket: a body would be taken for its first frame by some, and for nothing by others.

    Raises:
        RequestRefused: with 400.
    """
    sent = dict(headers)
    if sent.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in sent:
        raise malformed("Open a WebSocket without a body.")


def check_size(url: bytes, header_count: int, head_bytes: int, max_head_bytes: int) -> None:
    """As far as the head has come.

    Raises:
        RequestRefused: with 414 or 431.
    """
    if len(url) > MAX_URL_BYTES:
        message = f"The URL is longer than {MAX_URL_BYTES} bytes; send the request by POST."
        raise over_limit("maxUrlBytes", allowed=MAX_URL_BYTES, measured=len(url), message=message, status=414)
    if header_count > MAX_HEADERS:
        message = f"The request has more than {MAX_HEADERS} headers."
        raise over_limit("maxHeaders", allowed=MAX_HEADERS, measured=header_count, message=message, status=431)
    if head_bytes > max_head_bytes:
        message = f"The request line and headers are larger than {max_head_bytes} bytes."
        raise over_limit("maxHeaderBytes", allowed=max_head_bytes, measured=head_bytes, message=message, status=431)


def malformed(message: str = "This is not an HTTP request.") -> RequestRefused:
    return RequestRefused(400, "BAD_REQUEST", message)


def _check_once(names: Sequence[bytes]) -> None:
    for name in _ONCE:
        if names.count(name) > 1:
            raise malformed(f"Send one {name.decode().title()} header.")


def _check_target(method: bytes, url: bytes) -> None:
    if method == b"CONNECT" or b"#" in url or not (url.startswith(b"/") or url == b"*" or _ABSOLUTE.match(url)):
        raise malformed("Send the path of the URL, and nothing else, in the request line.")


def _check_host(url: bytes, version: str, host: bytes | None) -> None:
    if host is None and version == "1.0":
        return
    if host is None or not _HOST.fullmatch(host):
        raise malformed("Send a Host header with the name of the host.")
    absolute = _ABSOLUTE.match(url)
    if absolute and absolute[1].lower() != host.lower():
        raise malformed("The URL and the Host header name different hosts.")


def _check_coding(version: str, coding: bytes | None) -> None:
    if coding is not None and (version == "1.0" or coding.strip().lower() != b"chunked"):
        raise malformed("The only Transfer-Encoding is chunked, and only in HTTP/1.1.")
