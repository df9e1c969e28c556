"""`inferstack record`: a session with a text server, replayed by the same stack without it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inferstack import local
from tests.conftest import ROOT
from tests.dialects import WORDS, speaking
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

INFERSTACK = str(ROOT / ".venv" / "bin" / "inferstack")
QUESTION, OTHER = "Who pays for a lost parcel?", "When are wages paid?"


def streamed(project: Project, question: str) -> str:
    """The text of a stream, which the Worker keeps in no cache of its own."""
    body = {"question": question, "stream": True}
    with httpx.Client(timeout=60) as client:
        host = {"host": "rag-dev.local.localhost"}
        told = client.post(f"http://127.0.0.1:{project.running.port}/ask", json=body, headers=host).text
    data = [json.loads(line.removeprefix("data: ")) for line in told.split("\n") if line.startswith("data: {")]
    return "".join(each.get("text", "") for each in data)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    yield make_project(tmp_path)
    local.stop(tmp_path / ".inferstack" / "local")


def recorded(project: Project, question: str) -> tuple[str, str]:
    """The answer while it records, and what the command says at its end."""
    command = [INFERSTACK, "record", "dev"]
    with subprocess.Popen(
        command, cwd=project.root, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as recording:
        assert recording.stderr is not None
        for line in recording.stderr:
            if line.startswith("recording "):
                break
        answer = streamed(project, question)
        recording.send_signal(signal.SIGINT)
        said, _ = recording.communicate(timeout=30)
    assert recording.returncode == 0
    return answer, said


def test_a_session_is_replayed_without_its_server(project: Project) -> None:
    with speaking("llama.cpp") as running:
        project.edit("stacks/dev.yaml", "local:\n", f'local:\n  text_server: "{running.url}"\n')
        project.run("up", "dev")
        project.run("load", "dev", "examples/handbook")
        answer, said = recorded(project, QUESTION)
        assert answer == "".join(WORDS)
        count = len(list((project.root / "recordings").glob("*/*.json")))
        assert said == f"{count} inferences recorded; replay: local: {{ replay: strict }}\n"
        assert count >= 2, "the question's vector and the chat's answer"
        before = len(running.asked)
        assert streamed(project, OTHER) == "".join(WORDS)
        assert len(running.asked) > before
        assert len(list((project.root / "recordings").glob("*/*.json"))) == count, "no longer recorded"
    project.edit("stacks/dev.yaml", "local:\n", "local:\n  replay: strict\n")
    project.run("up", "dev")
    for _ in range(3):
        assert streamed(project, QUESTION) == "".join(WORDS)
    assert streamed(project, OTHER) == "", "its vector is not recorded"


def test_there_must_be_somebody_to_record(project: Project) -> None:
    said = project.run("record", "dev", code=2)
    assert "there is nobody to record" in said
    assert "fix: export CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN, or say `text_server:`" in said
