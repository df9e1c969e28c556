"""`secret_key`: a key of WebCrypto as a binding, which the Worker uses and nobody reads."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest

from tests.conftest import Api
from tests.local.test_workers_run import says

CODE = """export default { async fetch(request, env) {
  const key = env.KEY, algorithm = { name: key.algorithm.name, hash: "SHA-256" }
  const bytes = new TextEncoder().encode("said")
  const exported = await crypto.subtle.exportKey("raw", key).then(() => "yes", () => "no")
  const about = { type: key.type, usages: key.usages, exported, extractable: key.extractable }
  if (!key.usages.includes("sign")) return Response.json(about)
  const made = new Uint8Array(await crypto.subtle.sign(algorithm, key, bytes))
  return Response.json({ ...about, made: btoa(String.fromCharCode(...made)) })
} }"""
PATH = "/workers/scripts/keyed"
MATERIAL = b"k" * 32
HMAC: dict[str, Any] = {
    "name": "KEY",
    "type": "secret_key",
    "format": "raw",
    "algorithm": {"name": "HMAC", "hash": "SHA-256"},
    "usages": ["sign", "verify"],
    "key_base64": base64.b64encode(MATERIAL).decode(),
}
# Of the curve P-256, made for this test with `openssl genpkey`.
EC = {"name": "ECDSA", "namedCurve": "P-256"}
PRIVATE = (
    "MHcCAQEEIBmgNKxdf0N2Q3BpoB1WrYaZmCDxomuoyIBG6cssBZsgoAoGCCqGSM49AwEHoUQDQgAE+JIbCKaTevilunaFxIJRgHs4"
    "MRGglTPt38xTtvgsUoqvEmmyHkhfqD7Z3aAQ6kZIs9dusTP1GlADBYZpAjLAOA=="
)
PUBLIC = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+JIbCKaTevilunaFxIJRgHs4MRGglTPt38xTtvgsUoqvEmmyHkhfqD7Z3aAQ6kZI"
    "s9dusTP1GlADBYZpAjLAOA=="
)


def upload(api: Api, name: str, *bindings: dict[str, Any], code: str = CODE) -> httpx.Response:
    metadata = {"main_module": "x.mjs", "compatibility_date": "2026-06-01", "bindings": bindings}
    module = ("x.mjs", code, "application/javascript+module")
    files = {"metadata": (None, json.dumps(metadata), "application/json"), "x.mjs": module}
    answer = api.client.put(f"/workers/scripts/{name}", files=files)
    api.client.post(f"/workers/scripts/{name}/subdomain", json={"enabled": True})
    return answer


def signed(material: bytes) -> str:
    return base64.b64encode(hmac.new(material, b"said", hashlib.sha256).digest()).decode()


def made(api: Api) -> str:
    return str(api.worker("keyed", "GET", "/").json()["made"])


def test_a_key_signs_and_leaves_by_no_door(cloudflare: Api) -> None:
    assert upload(cloudflare, "keyed", HMAC).status_code == 200
    said = cloudflare.worker("keyed", "GET", "/").json()
    expected = {"type": "secret", "usages": ["sign", "verify"], "exported": "no", "extractable": False}
    assert said == expected | {"made": signed(MATERIAL)}
    told = {key: value for key, value in HMAC.items() if key != "key_base64"}
    assert cloudflare.client.get(PATH + "/secrets/KEY").json()["result"] == told
    assert cloudflare.client.get(PATH + "/secrets").json()["result"] == [told]
    for path in ("", "/settings", "/versions", "/secrets", "/content/v2"):
        assert HMAC["key_base64"] not in cloudflare.client.get(PATH + path).text


def test_a_key_stays_until_another_takes_its_place(cloudflare: Api) -> None:
    assert upload(cloudflare, "keyed", HMAC).is_success
    assert upload(cloudflare, "keyed").is_success, "an upload that names no secret keeps them"
    assert made(cloudflare) == signed(MATERIAL)
    [told] = cloudflare.client.get(PATH + "/settings").json()["result"]["bindings"]
    settings = {"settings": (None, json.dumps({"bindings": [told], "logpush": True}))}
    assert cloudflare.client.patch(PATH + "/settings", files=settings).status_code == 200
    assert made(cloudflare) == signed(MATERIAL)
    other = {"key_base64": base64.b64encode(b"other").decode()}
    assert cloudflare.client.put(PATH + "/secrets", json=HMAC | other).json()["result"]["type"] == "secret_key"
    assert made(cloudflare) == signed(b"other")
    jwk = {"format": "jwk", "key_jwk": {"kty": "oct", "k": "dGhpcmQ"}}
    assert cloudflare.client.patch(PATH + "/secrets-bulk", json={"secrets": {"KEY": HMAC | jwk}}).is_success
    assert made(cloudflare) == signed(b"third")


@pytest.mark.parametrize(
    ("form", "key", "usage", "kind"),
    [("pkcs8", PRIVATE, "sign", "private"), ("spki", PUBLIC, "verify", "public")],
)
def test_pairs_of_keys_come_as_their_bytes(cloudflare: Api, form: str, key: str, usage: str, kind: str) -> None:
    fields = {"format": form, "algorithm": EC, "usages": [usage], "key_base64": key}
    answer = upload(cloudflare, "keyed", HMAC | fields)
    assert answer.status_code == 200, answer.text
    said = cloudflare.worker("keyed", "GET", "/").json()
    assert (said["type"], said["usages"]) == (kind, [usage])


@pytest.mark.parametrize(
    ("fields", "says_so"),
    [
        ({"algorithm": {"name": "NONE"}}, "Unrecognized key import algorithm"),
        ({"algorithm": {}}, "valid `algorithm`"),
        ({"algorithm": 5}, "valid `algorithm`"),
        ({"usages": ["encrypt"]}, "invalid usage"),
        ({"usages": ["all"]}, "valid `usages`"),
        ({"usages": "sign"}, "valid `usages`"),
        ({"format": "pem"}, "valid `format`"),
        ({"format": "pkcs8"}, "Unrecognized key import format"),
        ({"format": "jwk"}, "valid `key_jwk`"),
        ({"format": "jwk", "key_jwk": {"kty": "oct"}}, "key import requires"),
        ({"key_base64": "!"}, "valid `key_base64`"),
        ({"key_base64": ""}, "valid `key_base64`"),
        ({"key_base64": {"a": 1}}, "valid `key_base64`"),
    ],
)
def test_what_is_no_key_is_refused_and_stops_nobody(cloudflare: Api, fields: dict[str, Any], says_so: str) -> None:
    refused = upload(cloudflare, "odd-key", HMAC | fields)
    error = refused.json()["errors"][0]
    assert (refused.status_code, error["code"]) == (400, 10021)
    assert says_so in error["message"]
    assert cloudflare.client.get("/workers/scripts/odd-key").status_code == 404
    assert upload(cloudflare, "beside", code=says("fine")).status_code == 200
    assert cloudflare.worker("beside", "GET", "/").text == "fine"
