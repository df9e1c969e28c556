"""Bindings whose value is never told again: texts, and keys of WebCrypto.

A `secret_key` is imported once by Cloudflare and reaches the Worker as a `CryptoKey` that cannot be exported. Fields by the
API's own document, `PUT /accounts/{account_id}/workers/scripts/{script_name}/secrets` (cloudflare-python 5.9.0).
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document
from inferstack.local.runtime.literals import literal

TEXT, KEY = "secret_text", "secret_key"
SECRETS = (TEXT, KEY)
USAGES = ("encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey")
FORMATS = ("raw", "pkcs8", "spki", "jwk")
LABELS = {"pkcs8": "PRIVATE KEY", "spki": "PUBLIC KEY"}
CODE = 10021


def parted(binding: Document) -> tuple[Document, str]:
    """What is told of a secret binding, and its value. Raises `ApiError`."""
    name = str(binding.get("name"))
    if binding.get("type") == TEXT:
        text = binding.get("text")
        if not isinstance(text, str):
            raise ApiError(400, CODE, f"binding {name} of type {TEXT} must have a valid `text` specified")
        if "\0" in text:
            raise ApiError(400, CODE, f"binding {name} of type {TEXT}: a zero character cannot reach a local Worker")
        return {"name": name, "type": TEXT}, text
    return _key(name, binding)


def _key(name: str, binding: Document) -> tuple[Document, str]:
    form, usages, algorithm = binding.get("format"), binding.get("usages"), binding.get("algorithm")
    named = isinstance(algorithm, str) or (isinstance(algorithm, dict) and isinstance(algorithm.get("name"), str))
    if not named:
        raise _wrong(name, "algorithm", "the name of an algorithm of WebCrypto, or an object with it as `name`")
    if form not in FORMATS:
        raise _wrong(name, "format", f"one of {', '.join(FORMATS)}")
    if not isinstance(usages, list) or not all(each in USAGES for each in usages):
        raise _wrong(name, "usages", f"a list of some of {', '.join(USAGES)}")
    shown = {"name": name, "type": KEY, "algorithm": algorithm, "format": form, "usages": usages}
    if form == "jwk":
        if not isinstance(binding.get("key_jwk"), dict):
            raise _wrong(name, "key_jwk", "a JSON Web Key, as the format is jwk")
        return shown, json.dumps(binding["key_jwk"])
    try:
        if base64.b64decode(binding.get("key_base64") or "", validate=True):
            return shown, str(binding["key_base64"])
    except (binascii.Error, TypeError, ValueError):
        pass
    raise _wrong(name, "key_base64", f"the key in Base64, as the format is {form}")


def _wrong(name: str, field: str, wanted: str) -> ApiError:
    return ApiError(400, CODE, f"binding {name} of type {KEY} must have a valid `{field}` specified: {wanted}")


def crypto_key(binding: Document, value: str) -> str:
    """Such a binding as workerd's configuration has it. workerd wants PEM where the API takes the bytes of it."""
    form, algorithm = binding["format"], binding["algorithm"]
    if form in LABELS:
        lines = "\n".join(value[place : place + 64] for place in range(0, len(value), 64))
        value = f"-----BEGIN {LABELS[form]}-----\n{lines}\n-----END {LABELS[form]}-----\n"
    material = f"{'base64' if form == 'raw' else form} = {literal(value)}"
    by = f"json = {literal(json.dumps(_known(algorithm)))}"
    return f"cryptoKey = ({material}, algorithm = ({by}), usages = [{', '.join(binding['usages'])}])"


def _known(algorithm: Any) -> Any:
    return {"name": algorithm} if isinstance(algorithm, str) else algorithm
