"""Who answers which task: real embeddings where they are installed and asked for, and never another engine in silence."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from inferstack import local
from inferstack.errors import UserError
from inferstack.local._store import Store
from inferstack.local.ai.engines import bge_small
from inferstack.local.ai.engines.held import Held
from inferstack.local.ai.engines.made import Made
from inferstack.local.ai.faults import InferenceError
from inferstack.local.vectorize.state import Indexes
from tests.conftest import Api, start_cloudflare
from tests.local.test_workers_run import deploy

SMALL, BASE, M3 = "@cf/baai/bge-small-en-v1.5", "@cf/baai/bge-base-en-v1.5", "@cf/baai/bge-m3"
RERANKER, CHAT = "@cf/baai/bge-reranker-base", "@cf/meta/llama-3.2-3b-instruct"
needs_real = pytest.mark.skipif(bool(bge_small.missing()), reason=f"real embeddings: {bge_small.missing()}")
QUESTION = "When may I plug the accumulator in again?"
TEXTS = ["The cafeteria closes at three.", "Let a battery pack cool for thirty minutes before it is charged."]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    api = start_cloudflare(tmp_path_factory.mktemp("engines"))
    yield api
    api.client.close()
    local.stop(api.folder)


@pytest.fixture
def fast(here: Api) -> Api:
    choose(here)
    return here


def choose(api: Api, *real: str) -> None:
    local.ensure(local.Settings(folder=api.folder, port=0, api_port=0, real=real))


def vectors(api: Api, model: str, *texts: str, **more: Any) -> Any:
    answer = api.client.post(f"/ai/run/{model}", json={"text": list(texts), **more})
    assert answer.status_code == 200, answer.text
    result = answer.json()["result"]
    return np.array(result.get("data") or result.get("response"))


def engine(api: Api, model: str, **inputs: Any) -> str:
    answer = api.client.post(f"/ai/run/{model}", json=inputs)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-inferstack-engine"]


def test_each_answer_says_who_gave_it(fast: Api) -> None:
    assert engine(fast, SMALL, text="one") == "static-words"
    assert engine(fast, CHAT, prompt="Hello") == "extractive"
    assert engine(fast, "@cf/black-forest-labs/flux-1-schnell", prompt="a cat") == "drawing"
    assert engine(fast, "@cf/meta/m2m100-1.2b", text="one", target_lang="de") == "rules"
    listed = fast.client.post("/ai/v1/embeddings", json={"model": SMALL, "input": "one"})
    assert listed.headers["x-inferstack-engine"] == "static-words"
    chat = fast.client.post(
        "/ai/v1/chat/completions", json={"model": CHAT, "messages": [{"role": "user", "content": "x"}]}
    )
    assert chat.headers["x-inferstack-engine"] == "extractive"


def test_what_is_asked_for_and_missing_is_an_error(fast: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    settings = local.Settings(folder=tmp_path / "state", port=0, api_port=0, real=("embeddings",))
    with pytest.raises(
        UserError, match=r"models: real.* is not installed\n  fix: inferstack local models install embeddings"
    ):
        local.ensure(settings)
    running, _ = local.ensure(local.Settings(folder=tmp_path / "state", port=0, api_port=0))
    with pytest.raises(UserError, match="is not installed"):
        local.ensure(settings)
    assert {each["engine"] for each in local.speakers(tmp_path / "state", running)} == {"extractive", "static-words"}
    local.stop(tmp_path / "state")


def test_a_task_without_a_real_engine_is_refused(fast: Api) -> None:
    with pytest.raises(UserError, match=r"`poetry` has no real engine here\n  fix: one of: embeddings, rerank, speech"):
        choose(fast, "poetry")


@needs_real
def test_real_embeddings_are_those_of_bge_small(fast: Api) -> None:
    choose(fast, "embeddings")
    assert engine(fast, SMALL, text="one") == bge_small.ENGINE
    asked, far, near = vectors(fast, SMALL, QUESTION, *TEXTS)
    assert asked.shape == (384,)
    assert np.linalg.norm(asked) == pytest.approx(1, abs=1e-4)
    assert asked @ near > asked @ far + 0.15
    first = vectors(fast, SMALL, QUESTION, *TEXTS, pooling="cls")[0]
    assert 0.5 < first @ asked < 0.999


@needs_real
@pytest.mark.parametrize(("model", "dimensions"), [(BASE, 768), (M3, 1024), ("@cf/baai/bge-large-en-v1.5", 1024)])
def test_other_models_are_lifted_from_it(fast: Api, model: str, dimensions: int) -> None:
    choose(fast, "embeddings")
    small, other = vectors(fast, SMALL, QUESTION, *TEXTS), vectors(fast, model, QUESTION, *TEXTS)
    assert other.shape == (3, dimensions)
    assert np.allclose(small @ small.T, other @ other.T, atol=1e-4)


@needs_real
def test_a_text_alone_and_among_others_has_one_vector(fast: Api) -> None:
    """Padding counts for nothing, and what is longer than the model reads is cut."""
    choose(fast, "embeddings")
    long = "battery " * 3000
    alone, among = vectors(fast, SMALL, QUESTION)[0], vectors(fast, SMALL, long, QUESTION, "x")[1]
    assert alone @ among > 0.98
    assert np.isfinite(vectors(fast, SMALL, long, "   ", "\u0000", "日本語")).all()


@needs_real
def test_reranking_is_a_cosine(fast: Api) -> None:
    body = {"query": QUESTION, "contexts": [{"text": text} for text in TEXTS]}
    choose(fast, "rerank")
    answer = fast.client.post(f"/ai/run/{RERANKER}", json=body)
    assert answer.headers["x-inferstack-engine"] == bge_small.ENGINE
    best, worst = answer.json()["result"]["response"]
    assert (best["id"], worst["id"]) == (1, 0)
    assert engine(fast, SMALL, text="one") == "static-words"
    choose(fast, "rerank", "embeddings")
    asked, far, near = vectors(fast, SMALL, QUESTION, *TEXTS)
    assert (best["score"], worst["score"]) == pytest.approx((asked @ near, asked @ far), abs=0.02)


@needs_real
def test_the_choice_outlives_a_restart(fast: Api) -> None:
    choose(fast, "embeddings")
    local.stop(fast.folder)
    ports = {"port": fast.running.port, "api_port": fast.running.api_port}
    running, started = local.ensure(local.Settings(folder=fast.folder, **ports))
    assert started
    told = {each["task"]: each["engine"] for each in local.speakers(fast.folder, running)}
    assert told == {"text": "extractive", "embeddings": bge_small.ENGINE, "rerank": "static-words"}


CODE = """export default { async fetch(request, env) {
  const { load, ask } = await request.json();
  const { data: [values] } = await env.AI.run("@cf/baai/bge-small-en-v1.5", { text: [load ?? ask] });
  if (load) return Response.json(await env.INDEX.upsert([{ id: "a", values }]));
  try { return Response.json((await env.INDEX.query(values)).matches.map((m) => m.id)) }
  catch (e) { return new Response(e.message) }
} }"""


@needs_real
def test_an_index_of_another_engine_asks_for_a_reindex(fast: Api) -> None:
    index = {"name": "docs", "config": {"dimensions": 384, "metric": "cosine"}}
    assert fast.client.post("/vectorize/v2/indexes", json=index).status_code == 201
    bindings = [{"name": "AI", "type": "ai"}, {"name": "INDEX", "type": "vectorize", "index_name": "docs"}]
    deploy(fast, "reader", CODE, bindings)

    def say(**body: str) -> str:
        return fast.worker("reader", "POST", "/", json=body).text

    say(load=TEXTS[1])
    assert say(ask=QUESTION) == '["a"]'
    choose(fast, "embeddings")
    told = say(ask=QUESTION)
    assert f"reindex: `docs` was filled by static-words, and this query's vector is by {bge_small.ENGINE}" in told
    say(load=TEXTS[1])
    assert say(ask=QUESTION) == '["a"]'
    choose(fast)
    assert "was filled by bge-small" in say(ask=QUESTION)


def test_vectors_of_no_engine_are_asked_no_questions(tmp_path: Path) -> None:
    """A Worker's own, of another provider, or changed on the way."""
    made, rows = Made(), np.eye(4, dtype=np.float32)
    made.note(rows[:2], "first")
    made.note(rows[2:3], "second")
    store = Store(tmp_path)
    indexes = Indexes(store, made.engine_of)
    indexes.create({"name": "docs", "config": {"dimensions": 4, "metric": "cosine"}}, None)
    indexes.write("docs", json.dumps({"id": "a", "values": rows[0].tolist()}).encode(), True)
    assert indexes.query("docs", {"vector": rows[1].tolist()})["count"] == 1
    assert indexes.query("docs", {"vector": [0.5, 0.5, 0, 0]})["count"] == 1
    assert indexes.query("docs", {"vectorId": "a"})["count"] == 1
    with pytest.raises(Exception, match="was filled by first, and this query's vector is by second"):
        indexes.query("docs", {"vector": rows[2].tolist()})
    indexes.close()
    again = Indexes(store, made.engine_of)
    with pytest.raises(Exception, match="reindex"):
        again.query("docs", {"vector": rows[2].tolist()})
    again.delete_by_ids("docs", ["a"])
    assert again.query("docs", {"vector": rows[2].tolist()})["count"] == 0
    again.close()
    store.close()


def test_a_damaged_index_keeps_nobody_from_being_told_who_answers(tmp_path: Path) -> None:
    api = start_cloudflare(tmp_path)
    index = {"name": "docs", "config": {"dimensions": 32, "metric": "cosine"}}
    line = json.dumps({"id": "a", "values": [1.0] * 32}).encode()
    ndjson = {"content-type": "application/x-ndjson"}
    assert api.client.post("/vectorize/v2/indexes", json=index).status_code == 201
    assert api.client.post("/vectorize/v2/indexes/docs/upsert", content=line, headers=ndjson).status_code == 200
    local.stop(tmp_path)
    [file] = (tmp_path / "vectorize").glob("*.db")
    file.write_bytes(file.read_bytes()[:5000])
    again = start_cloudflare(tmp_path)
    assert len(local.speakers(tmp_path, again.running)) == 3
    local.stop(tmp_path)
    for each in (api, again):
        each.client.close()


def test_an_idle_engine_is_let_go_and_loaded_again() -> None:
    loads: list[int] = []
    held = Held(lambda: loads.append(1) or object(), idle=0.2)
    first = held.use(lambda model: model)
    assert held.use(lambda model: model) is first
    for _ in range(3):
        time.sleep(0.1)
        held.use(lambda model: model)
    assert loads == [1], "each use counts anew"
    del first
    deadline = time.monotonic() + 5
    while held.is_loaded and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not held.is_loaded
    held.use(lambda model: model)
    assert loads == [1, 1]
    held.let_go()


def test_who_comes_when_many_wait_is_told_so() -> None:
    held, ends = Held(object, most=2), threading.Event()

    async def ask() -> list[Any]:
        waiting = [asyncio.create_task(held.queued(lambda: held.use(lambda _: ends.wait(10)))) for _ in range(2)]
        await asyncio.sleep(0)
        assert held.waiting == 2
        held.let_go()  # waits for nobody, nor takes the model from who uses it
        with pytest.raises(InferenceError, match="3040: Capacity temporarily exceeded"):
            await held.queued(lambda: None)
        ends.set()
        return await asyncio.gather(*waiting, held.queued(lambda: None) if held.waiting < 2 else asyncio.sleep(0))

    assert asyncio.run(ask())[:2] == [True, True]
    assert held.waiting == 0
    held.let_go()


@needs_real
def test_others_do_not_wait_behind_long_batches(fast: Api) -> None:
    """Seven batches fill more threads than two cores share."""
    choose(fast, "embeddings")
    batch = {"text": [f"{TEXTS[1]} {number}" for number in range(60)]}
    url, headers = f"{fast.client.base_url}", dict(fast.client.headers)
    answers: list[int] = []

    def load() -> None:
        answers.append(httpx.post(f"{url}ai/run/{SMALL}", json=batch, headers=headers, timeout=120).status_code)

    threads = [threading.Thread(target=load) for _ in range(7)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    assert engine(fast, CHAT, prompt="Hello") == "extractive"
    assert len(answers) < 7, "the batches still run"
    for thread in threads:
        thread.join()
    assert answers == [200] * 7


def test_an_engine_that_cannot_be_loaded_is_tried_again() -> None:
    tries: list[int] = []

    def load() -> object:
        tries.append(1)
        if len(tries) == 1:
            raise UserError("no memory")
        return object()

    held = Held(load)
    with pytest.raises(UserError):
        held.use(lambda _: None)
    held.use(lambda _: None)
    assert held.waiting == 0
    held.let_go()
