"""The sample stacks under examples/, deployed by the real engine, and their Workers called over HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.conftest import ROOT
from tests.e2e.conftest import Project, make_project


@dataclass
class Deployed:
    """Sample stacks that are up, side by side on one local Cloudflare."""

    project: Project

    @property
    def token(self) -> str:
        return (self.project.root / ".inferstack/secrets/sample-api-token").read_text()

    def url(self, worker: str) -> str:
        return f"http://{worker}-sample.local.localhost:{self.project.running.port}"

    def client(self, worker: str, token: str | None = None) -> httpx.Client:
        """Of one Worker; it names the host itself, as not every resolver knows `*.localhost`."""
        host = f"{worker}-sample.local.localhost"
        headers = {"host": host, "authorization": f"Bearer {token or self.token}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.project.running.port}", headers=headers, timeout=60)

    def call(self, worker: str, method: str, path: str, **options: Any) -> httpx.Response:
        with self.client(worker) as client:
            return client.request(method, path, **options)

    def post(self, worker: str, path: str, body: Any) -> httpx.Response:
        return self.call(worker, "POST", path, json=body)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The local Cloudflare's own /__local/…"""
        token = local.token_of(self.project.root / ".inferstack" / "local")
        url = f"http://127.0.0.1:{self.project.running.api_port}/__local/{path}"
        answer = httpx.request(method, url, json=body, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def fault(self, **fault: Any) -> None:
        self.control("POST", "faults", fault)

    def inferences(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", "inferences")
        return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def deployed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The samples that the test module names in STACKS; more of a stack stands in its EXTRAS, other files in FILES."""
    project = make_project(tmp_path_factory.mktemp("samples"))
    (project.root / "examples").unlink()
    (project.root / "examples").mkdir()
    for path, text in getattr(request.module, "FILES", {}).items():
        (project.root / path).parent.mkdir(parents=True, exist_ok=True)
        (project.root / path).write_text(text)
    (project.root / "node_modules").symlink_to(ROOT / "node_modules")
    port, names = free_port(), request.module.STACKS
    for name in names:
        text = (ROOT / "examples" / f"{name}.yaml").read_text().replace(":8787", f":{port}")
        (project.root / "examples" / f"{name}.yaml").write_text(text)
    bases = ", ".join(f"../examples/{name}.yaml" for name in names)
    head = f"extends: [{bases}]\nlocal: {{ port: {port}, api_port: 0 }}\n"
    extras = getattr(request.module, "EXTRAS", "").replace(":8787", f":{port}")
    (project.root / "stacks" / "samples.yaml").write_text(head + extras)
    project.run("up", "samples")
    yield Deployed(project)
    local.stop(project.root / ".inferstack" / "local")


@pytest.fixture(autouse=True)
def no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "deployed" in request.fixturenames:
        request.getfixturevalue("deployed").control("DELETE", "faults")
