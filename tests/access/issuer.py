"""An identity provider that exists for these tests only: keys, tokens, and a JWKS on a real loopback socket."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ISSUER, AUDIENCE = "https://login.example.test/", "contact-gateway"
SUBJECT = "ines.aalto@customer.test"
FAMILIES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


@cache
def private_key(kind: str, name: str = "first") -> Any:
    """Made once per run: `name` tells several of a kind apart."""
    match kind:
        case "RSA":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "EC":
            return ec.generate_private_key(ec.SECP256R1())
        case "P-384":
            return ec.generate_private_key(ec.SECP384R1())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def public_jwk(key: Any, kid: str | None, **more: Any) -> dict[str, Any]:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        name = "ES256" if key.curve.key_size == 256 else "ES384"
    else:
        name = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "EdDSA"
    algorithm = jwt.get_algorithm_by_name(name)
    named = {"kid": kid} if kid is not None else {}
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), **named, **more}


def claims(**changes: Any) -> dict[str, Any]:
    """Those of a good token; None takes one away."""
    now = int(time.time())
    told = {"iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "iat": now, "exp": now + 600, "scope": "contacts:write"}
    return {name: value for name, value in {**told, **changes}.items() if value is not None}


def token(
    algorithm: str = "RS256",
    *,
    key: Any = None,
    kid: str | None = "rsa",
    headers: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    chosen = private_key(FAMILIES[algorithm[:2]]) if key is None else key
    named = {"kid": kid} if kid is not None else {}
    return jwt.encode(claims(**changes), chosen, algorithm=algorithm, headers={**named, **(headers or {})})


class Issuer:
    """`keys` is what it publishes; a test changes it, or `status`, or has it send `body`."""

    def __init__(self) -> None:
        self.keys = [
            public_jwk(private_key("RSA"), "rsa", use="sig", alg="RS256"),
            public_jwk(private_key("EC"), "ec"),
            public_jwk(private_key("OKP"), "okp"),
        ]
        self.status = 200
        self.body: bytes | None = None
        self.headers: dict[str, str] = {}
        self.fetches = 0
        self.url = ""

    @property
    def document(self) -> bytes:
        return self.body if self.body is not None else json.dumps({"keys": self.keys}).encode()

    @property
    def settings(self) -> dict[str, str]:
        return {"jwt_jwks_url": self.url, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetches += 1
            document = issuer.document
            self.send_response(issuer.status)
            for name, value in {"Content-Length": str(len(document)), **issuer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}/keys"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
