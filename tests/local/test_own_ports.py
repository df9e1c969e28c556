"""Each Worker answers at a port of its own too: no Host header, no name to resolve."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx

from inferstack import local
from tests.conftest import Api, start_cloudflare
from tests.local.test_workers_run import deploy

WORKER = "export default { fetch(request) { return new Response(`NAME ${new URL(request.url).host}`) } }"


def ports(api: Api) -> dict[str, int]:
    return {key.partition("/")[2]: port for key, port in local.worker_ports(api.folder).items()}


def get(port: int, host: str | None = None) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}/a?b=1", headers={"host": host} if host else {}, timeout=10)


def test_a_worker_has_a_port_of_its_own_as_long_as_it_is_there(tmp_path: Path) -> None:
    api = start_cloudflare(tmp_path)
    try:
        for name in ("one", "two"):
            deploy(api, name, WORKER.replace("NAME", name), [])
        first = ports(api)
        assert {name: get(port).text for name, port in first.items()} == {
            name: f"{name} 127.0.0.1:{port}" for name, port in first.items()
        }
        assert get(first["one"], f"localhost:{first['one']}").text.startswith("one ")
        assert get(first["one"], f"two.local.localhost:{api.running.port}").text.startswith("two ")
        assert get(first["one"], f"evil.example.com:{first['one']}").status_code == 404

        deploy(api, "one", WORKER.replace("NAME", "again"), [])
        assert ports(api) == first
        assert get(first["one"]).text.startswith("again ")

        local.stop(api.folder)
        api.client.close()
        with socket.create_server(("127.0.0.1", first["two"])):
            api = start_cloudflare(tmp_path)
            now = ports(api)
            assert now["one"] == first["one"]
            assert now["two"] != first["two"]
            assert get(now["two"]).text.startswith("two ")

        assert api.client.delete("/workers/scripts/one").is_success
        assert set(ports(api)) == {"two"}
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", first["one"])) != 0
    finally:
        api.client.close()
        local.stop(api.folder)


def test_a_worker_that_answers_nobody_has_none(cloudflare: Api) -> None:
    deploy(cloudflare, "inner", WORKER, [])
    assert "inner" in ports(cloudflare)
    cloudflare.client.post("/workers/scripts/inner/subdomain", json={"enabled": False})
    assert "inner" not in ports(cloudflare)
