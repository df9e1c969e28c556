"""`python bench/quality.py`: how well the engines of the local Cloudflare find what is meant, fast beside real.

40 questions in other words (`paraphrases.yaml`) over the 34 documents of the sample handbook, by the API as a Worker asks it:
recall at 1, 3 and 5, mean reciprocal rank, how many right and wrong documents pass a `min_score`. Then the tasks of
`quality_tasks.py`: words heard wrong, lines read, JSON that is valid; and what each engine costs to load, to hold and to use.
What is not installed is passed over by its name; `--gguf FILE` is the real engine for text. Into `bench/results.json`
with `--keep`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import quality_tasks  # noqa: E402
from inferstack import local  # noqa: E402
from inferstack.errors import UserError  # noqa: E402
from inferstack.toolchain.weights import PACKAGES  # noqa: E402

MODEL, RERANKER = "@cf/baai/bge-small-en-v1.5", "@cf/baai/bge-reranker-base"
KEY = "quality"
MIN_SCORES = (0.2, 0.5, 0.6)
ROUNDS = 100  # single questions that are timed


@dataclass
class Figures:
    """Of one engine and task. Shares of 1; seconds; MiB of resident memory that the process has more; per second."""

    engine: str
    recall_1: float
    recall_3: float
    recall_5: float
    mrr: float
    load_s: float
    memory_mib: float
    documents_s: float
    questions_s: float
    passing: dict[str, str]


class Cloud:
    """A local Cloudflare with some real engines."""

    def __init__(self, folder: Path, real: tuple[str, ...], text: str = "") -> None:
        self._folder = folder
        settings = local.Settings(folder=folder, port=0, api_port=0, real=real, text_server=text)
        self.running, _ = local.ensure(settings)
        base = f"{self.running.base_url}/accounts/{local.ACCOUNT_ID}/ai/run/"
        headers = {"authorization": f"Bearer {local.token_of(folder)}"}
        self._client = httpx.Client(base_url=base, headers=headers, timeout=120)

    def run(self, model: str, **inputs: Any) -> tuple[Any, str]:
        answer = self._client.post(model, json=inputs)
        answer.raise_for_status()
        found = answer.json()["result"] if "json" in answer.headers["content-type"] else answer.content
        return found, answer.headers["x-inferstack-engine"]

    def memory(self) -> float:
        """Of the process and of those of its engines."""
        parts = Path(f"/proc/{self.running.pid}/task").glob("*/children")
        children = [int(pid) for part in parts for pid in part.read_text().split()]
        engines = [pid for pid in children if b"serve.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        return sum(map(resident, [self.running.pid, *engines]))

    def close(self) -> None:
        self._client.close()
        local.stop(self._folder)


def resident(pid: int) -> float:
    """MiB."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def read_corpus() -> dict[str, str]:
    files = sorted((ROOT / "examples" / "handbook").glob("*.md"))
    return {file.stem: file.read_text().partition("---\n")[2].partition("---\n")[2].strip() for file in files}


def read_questions() -> list[tuple[str, str]]:
    listed = yaml.safe_load((Path(__file__).parent / "paraphrases.yaml").read_text())
    return [(each["question"], each["document"]) for each in listed]


def ranks(scores: np.ndarray[Any, Any], wanted: list[int]) -> list[int]:
    """The place of the right document for each question, from 1."""
    return [int((row > row[right]).sum()) + 1 for row, right in zip(scores, wanted, strict=True)]


def recalled(found: list[int]) -> dict[str, float]:
    shares = {f"recall_{most}": sum(rank <= most for rank in found) / len(found) for most in (1, 3, 5)}
    return shares | {"mrr": sum(1 / rank for rank in found) / len(found)}


def passing(scores: np.ndarray[Any, Any], wanted: list[int]) -> dict[str, str]:
    """By `min_score`: right documents that pass, and the share of the wrong ones that do."""
    right = np.zeros_like(scores, dtype=bool)
    right[np.arange(len(wanted)), wanted] = True
    return {
        str(least): f"{int((scores[right] >= least).sum())} right, {(scores[~right] >= least).mean():.0%} wrong"
        for least in MIN_SCORES
    }


def embeddings(cloud: Cloud, corpus: dict[str, str], questions: list[tuple[str, str]]) -> Figures:
    before, started = cloud.memory(), time.perf_counter()
    cloud.run(MODEL, text="a first text")
    load, started = time.perf_counter() - started, time.perf_counter()
    answer, engine = cloud.run(MODEL, text=list(corpus.values()))
    documents, started = len(corpus) / (time.perf_counter() - started), time.perf_counter()
    for question, _ in (questions * ROUNDS)[:ROUNDS]:
        cloud.run(MODEL, text=question)
    rate = ROUNDS / (time.perf_counter() - started)
    asked = np.array(cloud.run(MODEL, text=[question for question, _ in questions])[0]["data"])
    scores = asked @ np.array(answer["data"]).T
    wanted = [list(corpus).index(document) for _, document in questions]
    found = recalled(ranks(scores, wanted))
    memory = cloud.memory() - before
    return Figures(engine, **found, load_s=load, memory_mib=memory, documents_s=documents, questions_s=rate,
                   passing=passing(scores, wanted))  # fmt: skip


def reranking(cloud: Cloud, corpus: dict[str, str], questions: list[tuple[str, str]]) -> Figures:
    before, contexts = cloud.memory(), [{"text": text} for text in corpus.values()]
    started = time.perf_counter()
    cloud.run(RERANKER, query="a first text", contexts=contexts[:1])
    load, started = time.perf_counter() - started, time.perf_counter()
    scores, engine = np.zeros((len(questions), len(corpus))), ""
    for place, (question, _) in enumerate(questions):
        answer, engine = cloud.run(RERANKER, query=question, contexts=contexts)
        for each in answer["response"]:
            scores[place, each["id"]] = each["score"]
    rate = len(questions) / (time.perf_counter() - started)
    wanted = [list(corpus).index(document) for _, document in questions]
    found, memory = recalled(ranks(scores, wanted)), cloud.memory() - before
    return Figures(engine, **found, load_s=load, memory_mib=memory, documents_s=rate * len(corpus), questions_s=rate,
                   passing=passing(scores, wanted))  # fmt: skip


TASKS = {"embeddings": embeddings, "rerank": reranking}
# Task → what is asked; each also of the fast engine, which answers when nothing is real.
MORE: dict[str, Callable[[Cloud, Any], quality_tasks.Figures]] = {
    "speech, tiny.en": quality_tasks.heard_by(quality_tasks.TINY),
    "speech, base": quality_tasks.heard_by(quality_tasks.BASE),
    "voice": quality_tasks.voice,
    "images": quality_tasks.images,
    "sentiment": quality_tasks.sentiment,
    "translation": quality_tasks.translation,
    "text": quality_tasks.text,
}


@contextmanager
def cloud_of(what: str, real: tuple[str, ...], text: str = "") -> Iterator[Cloud | None]:
    """Anew for each engine, so that memory is its own; None, told by name, where that is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            cloud = Cloud(Path(folder), real, text)
        except UserError as error:
            print(f"{what}: {error}", file=sys.stderr)
            yield None
            return
        try:
            yield cloud
        finally:
            cloud.close()


def measure() -> dict[str, dict[str, Figures]]:
    corpus, questions = read_corpus(), read_questions()
    found: dict[str, dict[str, Figures]] = {}
    for task, run in TASKS.items():
        for kind, real in (("fast", ()), ("real", (task,))):
            with cloud_of(f"{task}, {kind}", real) as cloud:
                if cloud is not None:
                    found.setdefault(task, {})[kind] = run(cloud, corpus, questions)
    return found


def given_to_tasks() -> dict[str, Any]:
    """Sounds for speech, spoken by the real voice, and pictures."""
    given: dict[str, Any] = {}
    with cloud_of("sounds", ("voice",)) as cloud:
        if cloud is not None:
            given["speech"] = quality_tasks.sounds_of(cloud)
    packages = PACKAGES["images"].folder
    if packages.is_dir():
        given["images"] = quality_tasks.pictures_of(packages)
    return given


def measure_more(gguf: str) -> dict[str, dict[str, quality_tasks.Figures]]:
    given = given_to_tasks()
    found: dict[str, dict[str, quality_tasks.Figures]] = {}
    for name, run in MORE.items():
        task = name.partition(",")[0]
        if (task in ("speech", "images") and task not in given) or (task == "text" and not gguf):
            print(f"{name}: nothing to ask with", file=sys.stderr)
            continue
        real = () if task == "text" else (task,)
        listens = ("speech",) if task == "voice" else ()
        for kind, engines, text in (("fast", listens, ""), ("real", (*real, *listens), gguf if task == "text" else "")):
            with cloud_of(f"{name}, {kind}", engines, text) as cloud:
                if cloud is not None:
                    found.setdefault(name, {})[kind] = run(cloud, given.get(task))
    return found


def table_of_more(found: dict[str, dict[str, quality_tasks.Figures]]) -> str:
    lines = []
    for task, kinds in found.items():
        heads = "".join(f"{kind}: {figures.engine}".ljust(34) for kind, figures in kinds.items())
        lines.append(f"\n{task}".ljust(34) + heads)
        lines += [
            score.ljust(33) + "".join(f"{each.scores[score]:.1%}".ljust(34) for each in kinds.values())
            for score in next(iter(kinds.values())).scores
        ]
        rows = {"first answer, s": "load_s", "memory, MiB": "memory_mib", next(iter(kinds.values())).unit: "speed"}
        for text, name in rows.items():
            lines.append(text.ljust(33) + "".join(f"{getattr(each, name):.3g}".ljust(34) for each in kinds.values()))
    return "\n".join(lines)


def table(found: dict[str, dict[str, Figures]], asked: int) -> str:
    lines = []
    for task, kinds in found.items():
        lines.append(
            f"\n{task}".ljust(34) + "".join(f"{kind}: {figures.engine}".ljust(34) for kind, figures in kinds.items())
        )
        rows = {
            **{f"right document in the first {n}": f"recall_{n}" for n in (1, 3, 5)},
            "mean reciprocal rank": "mrr",
            "first answer, s": "load_s",
            "memory, MiB": "memory_mib",
            "documents a second": "documents_s",
            "questions a second": "questions_s",
        }
        for text, name in rows.items():
            values = [getattr(figures, name) for figures in kinds.values()]
            shown = [f"{v * asked:.0f} of {asked}" if "recall" in name else f"{v:.3g}" for v in values]
            lines.append(text.ljust(33) + "".join(each.ljust(34) for each in shown))
        for least in MIN_SCORES:
            shown = [figures.passing[str(least)] for figures in kinds.values()]
            lines.append(f"pass a min_score of {least}".ljust(33) + "".join(each.ljust(34) for each in shown))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="write the figures into bench/results.json")
    parser.add_argument("--gguf", default="", metavar="FILE", help="the real engine for text")
    given = parser.parse_args()
    found, more = measure(), measure_more(given.gguf)
    print(table(found, len(read_questions())))
    print(table_of_more(more))
    if given.keep:
        file = ROOT / "bench" / "results.json"
        kept = json.loads(file.read_text())
        whole: dict[str, dict[str, Any]] = {**found, **more}
        kept[KEY] = {task: {kind: asdict(each) for kind, each in kinds.items()} for task, kinds in whole.items()}
        file.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
