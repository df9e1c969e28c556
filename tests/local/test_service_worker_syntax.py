"""Code in service-worker syntax, brought up as the module that a version takes: what it listens to, and its globals."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from inferstack.config import WorkerSpec
from inferstack.errors import ConfigError
from inferstack.render.source import read_source
from tests.conftest import Api
from tests.local.test_workers_run import release

# (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
ADDS = bytes.fromhex("0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b")
BINDINGS = [{"name": "NAME", "type": "plain_text", "text": "Ann"}]


def deploy(api: Api, root: Path, code: str, file: str = "main.js", **more: Any) -> str:
    """The id of the version."""
    (root / file).write_text(code)
    worker = WorkerSpec.model_validate({"source": file, "compatibility_date": "2022-05-03", **more})
    modules = read_source(worker, root).modules
    parts = [
        {
            "name": module.name,
            "content_type": module.content_type,
            "content_base64": base64.b64encode(module.content).decode(),
        }
        for module in modules
    ]
    api.client.post("/workers/workers", json={"name": "script", "subdomain": {"enabled": True}})
    body = {"main_module": modules[0].name, "modules": parts, "bindings": BINDINGS, "compatibility_date": "2022-05-03"}
    made = api.client.post("/workers/workers/script/versions", json=body)
    assert made.status_code == 200, made.text
    version = made.json()["result"]["id"]
    release(api, "script", {version: 100})
    return str(version)


@pytest.mark.parametrize(
    ("code", "status", "text"),
    [
        ("addEventListener('fetch', e => e.respondWith(new Response(NAME)))", 200, "Ann"),
        ("const name = NAME;\nself.addEventListener('fetch', e => e.respondWith(new Response(name)))", 200, "Ann"),
        (
            "addEventListener('fetch', e => { if (e.request.method === 'PUT') e.respondWith(new Response('1')) });\n"
            "addEventListener('fetch', e => e.respondWith(new Response(`${e.type} 2`)));\n",
            200,
            "fetch 2",
        ),
        (
            "addEventListener('fetch', e => { e.respondWith(new Response('1'));\n"
            "try { e.respondWith(new Response('2')) } catch (error) { console.log(error) } })",
            200,
            "1",
        ),
        ("addEventListener('fetch', { handleEvent(e) { e.respondWith(new Response('object')) } })", 200, "object"),
        ("addEventListener('fetch', e => { throw new Error('no') })", 500, ""),
        (
            "addEventListener('fetch', e => { e.passThroughOnException(); e.waitUntil(Promise.resolve());\n"
            "e.respondWith((async () => new Response(String(e instanceof Event)))()) })",
            200,
            "true",
        ),
    ],
    ids=["a global", "of self", "two", "answered twice", "an object", "throws", "what an event can"],
)
def test_a_listener_answers(cloudflare: Api, tmp_path: Path, code: str, status: int, text: str) -> None:
    deploy(cloudflare, tmp_path, code)
    got = cloudflare.worker("script", "GET", "/")
    assert (got.status_code, text in got.text) == (status, True), got.text


def test_a_typescript_file_without_exports_listens_too(cloudflare: Api, tmp_path: Path) -> None:
    code = "declare const NAME: string;\nexport {};\naddEventListener('fetch', (e: any) => e.respondWith(new Response(NAME)));\n"
    deploy(cloudflare, tmp_path, code, "main.ts")
    assert cloudflare.worker("script", "GET", "/").text == "Ann"


def test_what_it_does_not_listen_to_it_does_not_handle(cloudflare: Api, tmp_path: Path) -> None:
    version = deploy(cloudflare, tmp_path, "addEventListener('scheduled', e => e.waitUntil(Promise.resolve()))")
    got = cloudflare.client.get(f"/workers/scripts/script/versions/{version}").json()["result"]
    assert got["resources"]["script"]["handlers"] == ["scheduled"]
    assert cloudflare.worker("script", "GET", "/").status_code == 500


def test_a_module_that_listens_to_other_things_is_left_alone(cloudflare: Api, tmp_path: Path) -> None:
    code = (
        "addEventListener('unhandledrejection', () => {});\nexport default { fetch: () => new Response('module') };\n"
    )
    deploy(cloudflare, tmp_path, code)
    assert cloudflare.worker("script", "GET", "/").text == "module"


def test_files_are_globals(cloudflare: Api, tmp_path: Path) -> None:
    given = {"NOTE": ("Text", "a/note.txt", "say \u201chi\u201d\n".encode()), "RAW": ("Data", "raw", b"\x00\xff")}
    given["ADD"] = ("CompiledWasm", "add.wasm", ADDS)
    (tmp_path / "a").mkdir()
    for _, path, content in given.values():
        (tmp_path / path).write_bytes(content)
    code = (
        "const { add } = new WebAssembly.Instance(ADD).exports;\n"
        "const said = [NAME, NOTE, RAW instanceof ArrayBuffer, [...new Uint8Array(RAW)], add(40, 2)];\n"
        "addEventListener('fetch', e => e.respondWith(Response.json(said)));\n"
    )
    made = {name: {"type": kind, "file": path} for name, (kind, path, _) in given.items()}
    deploy(cloudflare, tmp_path, code, bundle={"globals": made})
    assert cloudflare.worker("script", "GET", "/").json() == ["Ann", "say \u201chi\u201d\n", True, [0, 255], 42]


@pytest.mark.parametrize(
    ("file", "problem"), [("none.txt", "cannot be read: No such file"), ("../note.txt", "leaves the project")]
)
def test_a_file_that_is_no_global_is_told(tmp_path: Path, file: str, problem: str) -> None:
    (tmp_path / "main.js").write_text("addEventListener('fetch', e => e.respondWith(new Response(NOTE)))")
    given = {"source": "main.js", "compatibility_date": "2022-05-03"}
    worker = WorkerSpec.model_validate(given | {"bundle": {"globals": {"NOTE": {"type": "Text", "file": file}}}})
    with pytest.raises(ConfigError, match=f"the file `{file}` of the global `NOTE` {problem}"):
        read_source(worker, tmp_path)


def test_it_needs_the_bundler(tmp_path: Path) -> None:
    (tmp_path / "main.js").write_text("addEventListener('fetch', e => e.respondWith(new Response('hi')))")
    given = {"source": "main.js", "compatibility_date": "2022-05-03", "bundle": False}
    with pytest.raises(ConfigError, match="remove `bundle: false`"):
        read_source(WorkerSpec.model_validate(given), tmp_path)
