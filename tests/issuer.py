"""An issuer of tokens on a port of this machine: its keys, its metadata (RFC 8414) and its token endpoint."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa


def _keys() -> dict[str, Any]:
    return {"ES256": ec.generate_private_key(ec.SECP256R1()), "RS256": rsa.generate_private_key(65537, 2048)}


@dataclass
class Issuer:
    """`asked` are the forms that its token endpoint was sent."""

    port: int
    keys: dict[str, Any] = field(default_factory=_keys)
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, audience: str, *, algorithm: str = "ES256", key: Any = None, **claims: Any) -> str:
        now = time.time()
        said = {"iss": self.url, "aud": audience, "sub": "ann", "iat": now, "exp": now + 600} | claims
        return jwt.encode(said, key or self.keys[algorithm], algorithm=algorithm, headers={"kid": algorithm})

    def jwks(self) -> dict[str, Any]:
        as_jwk = {"ES256": jwt.algorithms.ECAlgorithm.to_jwk, "RS256": jwt.algorithms.RSAAlgorithm.to_jwk}
        return {
            "keys": [
                json.loads(as_jwk[name](key.public_key())) | {"kid": name, "alg": name}
                for name, key in self.keys.items()
            ]
        }

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }

    def granted(self, form: dict[str, str]) -> dict[str, Any]:
        """A token for the resource that the client names (RFC 8707)."""
        self.asked.append(form)
        token = self.token(form.get("resource", ""), scope=form.get("scope", ""), algorithm="RS256")
        return {"access_token": token, "token_type": "Bearer", "expires_in": 600, "scope": form.get("scope", "")}


@contextmanager
def issuing(port: int) -> Iterator[Issuer]:
    issuer = Issuer(port)

    class Handler(BaseHTTPRequestHandler):
        def answer(self, body: Any) -> None:
            self.send_response(200 if body is not None else 404)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def do_GET(self) -> None:
            pages = {"/jwks": issuer.jwks, "/.well-known/oauth-authorization-server": issuer.metadata}
            page = pages.get(self.path)
            self.answer(page() if page else None)

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            self.answer(issuer.granted({name: values[0] for name, values in parse_qs(text).items()}))

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
