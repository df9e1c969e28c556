"""Text embeddings by bge-small-en-v1.5 in 8 bits, as ONNX: the files come from another place than the packages that run them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

DIMENSIONS = 384
MOST_TOKENS = 512  # what the model was trained on; the rest of a text is left out, as Workers AI does
BATCH = 16
Message = tuple[dict[str, Any], bytes]


def load(_: str) -> Callable[[dict[str, Any], bytes], Message]:
    importlib.import_module("onnxruntime")
    held: list[_Model] = []

    def answer(asked: dict[str, Any], _: bytes) -> Message:
        if not held:
            held.append(_Model(asked["model"], asked["tokenizer"]))
        return {}, held[0].embed(asked["texts"], asked["pooling"]).tobytes()

    return answer


class _Model:
    def __init__(self, model: str, tokenizer: str) -> None:
        onnxruntime, tokenizers = importlib.import_module("onnxruntime"), importlib.import_module("tokenizers")
        self._numpy: Any = importlib.import_module("numpy")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # two on a busy machine are slower
        options.enable_cpu_mem_arena = False  # it keeps the most that a batch ever took
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._tokenizer = tokenizers.Tokenizer.from_file(tokenizer)
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.no_padding()
        self._inputs = {each.name for each in self._session.get_inputs()}

    def embed(self, texts: list[str], pooling: str) -> Any:
        """Unit vectors, shape (len(texts), 384), float32."""
        numpy = self._numpy
        read = self._tokenizer.encode_batch(texts)
        order = sorted(range(len(texts)), key=lambda place: len(read[place].ids))  # like lengths share a batch
        rows = numpy.zeros((len(texts), DIMENSIONS), dtype=numpy.float32)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            rows[places] = self._batch([read[place].ids for place in places], pooling)
        return (rows / numpy.maximum(numpy.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype("<f4")

    def _batch(self, ids: list[list[int]], pooling: str) -> Any:
        numpy, longest = self._numpy, max(map(len, ids))
        given = numpy.zeros((len(ids), longest), dtype=numpy.int64)
        mask = numpy.zeros_like(given)
        for row, each in enumerate(ids):
            given[row, : len(each)], mask[row, : len(each)] = each, 1
        inputs = {"input_ids": given, "attention_mask": mask, "token_type_ids": numpy.zeros_like(given)}
        [hidden, *_] = self._session.run(None, {name: inputs[name] for name in self._inputs})
        if pooling == "cls":
            return hidden[:, 0]
        weights = mask[:, :, None].astype(numpy.float32)
        return (hidden * weights).sum(axis=1) / weights.sum(axis=1)
