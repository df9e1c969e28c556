"""A threshold holds for who gives the scores: a model on Cloudflare, another engine on the local one."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from inferstack.config import load_stack
from inferstack.render import render_worker
from tests.conftest import ROOT

BASE, SMALL, RERANKER = "@cf/baai/bge-base-en-v1.5", "@cf/baai/bge-small-en-v1.5", "@cf/baai/bge-reranker-base"
OPTIONS = (
    f"min_score: 0.1, min_scores: {{ local: 0.2, local-real: 0.5, '{BASE}': 0.55, '{SMALL}': 0.6, '{RERANKER}': 0.9 }}"
)


@pytest.mark.parametrize(
    ("target", "model", "local", "reranked", "threshold"),
    [
        ("local", BASE, "", False, 0.2),
        ("local", SMALL, "models: real", False, 0.6),
        ("local", SMALL, "models: fast", False, 0.2),
        ("local", SMALL, "models: real", True, 0.5),
        ("local", SMALL, "models: { embeddings: real }", True, 0.2),
        ("local", BASE, "models: real", False, 0.5),
        ("cloudflare", BASE, "", False, 0.55),
        ("cloudflare", BASE, "", True, 0.9),
        ("cloudflare", "@cf/baai/bge-large-en-v1.5", "", False, 0.1),
    ],
)
def test_the_threshold_is_that_of_who_gives_the_scores(
    target: str,
    model: str,
    local: str,
    reranked: bool,
    threshold: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "stacks").mkdir()
    text = (ROOT / "examples" / "rag.yaml").read_text().replace("min_scores: { local: 0.2, local-real: 0.5 }", OPTIONS)
    text = re.sub(r"^target: .*$", f"target: {target}", text, flags=re.M).replace(BASE, model, 1)
    text = re.sub(r"^local:\n(?:  .*\n)+", "", text, flags=re.M)
    text += f"\nlocal: {{ {local} }}\n" if local else ""
    text = text if reranked else text.replace(", reranker: rerank", "")
    account = "account: 0123456789abcdef0123456789abcdef\n" if target == "cloudflare" else ""
    (tmp_path / "stacks" / "s.yaml").write_text(account + text)
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "0123456789abcdef0123456789abcdef")
    secret = tmp_path / ".inferstack" / "secrets" / "sample-api-token"
    secret.parent.mkdir(parents=True)
    secret.write_text("a sample")
    shutil.copytree(ROOT / "migrations", tmp_path / "migrations")
    code = render_worker(load_stack("s", tmp_path), "rag", tmp_path).modules[0].text
    found = re.search(r"^const options = (\{.*?^\});", code, re.M | re.S)
    assert found
    options = json.loads(found[1])
    assert options["min_score"] == threshold
    assert "min_scores" not in options
