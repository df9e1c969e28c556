"""BAAI/bge-small-en-v1.5, which Workers AI has too, as 8 bit ONNX: real embeddings on this machine.

Measured on two busy cores on 2026-11-27: loaded in 0.3 s, +150 MB, some 40 documents a second on one thread. Two threads on
a busy machine are slower than one.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from inferstack.errors import UserError
from inferstack.local.ai.embeddings import Matrix
from inferstack.toolchain import EMBEDDINGS, weights_are_here

DIMENSIONS = 384
MOST_TOKENS = 512  # what the model was trained on; the rest of a text is left out, as Workers AI does
BATCH = 16
ENGINE = EMBEDDINGS.engine


def missing() -> str:
    """What has to be installed first, each with its line; empty when it can be used. Imports nothing."""
    lacks = []
    if not weights_are_here(EMBEDDINGS):
        lacks.append("inferstack local models install embeddings")
    if importlib.util.find_spec("onnxruntime") is None:
        lacks.append("pip install 'inferstack[real]'")
    return "; ".join(lacks)


class BgeSmall:
    """The model in memory. Raises `UserError` when it cannot be loaded."""

    def __init__(self) -> None:
        lacks = missing()
        if lacks:
            raise UserError(f"real embeddings are not installed\n  fix: {lacks}")
        import onnxruntime  # 0.2 s and 60 MB, only when real embeddings are asked for
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it keeps the most that a batch ever took
        options.log_severity_level = 3
        model, tokenizer = (str(EMBEDDINGS.folder / name) for name in EMBEDDINGS.files)
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            self._tokenizer = Tokenizer.from_file(tokenizer)
        except Exception as error:  # onnxruntime's and tokenizers' own have no common root
            text = f"the weights in {EMBEDDINGS.folder} cannot be read: {str(error).splitlines()[0][:200]}"
            fix = "inferstack local models remove embeddings, then install it again"
            raise UserError(f"{text}\n  fix: {fix}") from None
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.no_padding()
        self._inputs = {each.name for each in self._session.get_inputs()}

    def embed(self, texts: list[str], pooling: str = "mean") -> Matrix:
        """Unit vectors, shape (len(texts), 384); `pooling` is mean or cls."""
        read = self._tokenizer.encode_batch(texts)
        order = sorted(range(len(texts)), key=lambda place: len(read[place].ids))  # like lengths share a batch
        rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            rows[places] = self._batch([read[place].ids for place in places], pooling)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), dtype=np.float32)

    def _batch(self, ids: list[list[int]], pooling: str) -> Any:
        longest = max(map(len, ids))
        given = np.zeros((len(ids), longest), dtype=np.int64)
        mask = np.zeros_like(given)
        for row, each in enumerate(ids):
            given[row, : len(each)], mask[row, : len(each)] = each, 1
        inputs = {"input_ids": given, "attention_mask": mask, "token_type_ids": np.zeros_like(given)}
        [hidden, *_] = self._session.run(None, {name: inputs[name] for name in self._inputs})
        if pooling == "cls":
            return hidden[:, 0]
        weights = mask[:, :, None].astype(np.float32)
        return (hidden * weights).sum(axis=1) / weights.sum(axis=1)
