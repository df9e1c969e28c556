"""Text embeddings: static word vectors that the wheel `wordllama` ships, lifted to each model's dimension.

The lift is a fixed orthonormal map of 256 dimensions into more, so the cosine of two texts is the same at every
size; a model with fewer dimensions takes the leading ones. The package's own loader is not used: it downloads.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Matrix = np.ndarray[Any, np.dtype[np.float32]]
BASE_DIMENSIONS = 256
SEED = 20260101
PIECE = 8_192  # characters that are told apart at once


@cache
def _package() -> Path:
    spec = importlib.util.find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the Python package wordllama is not installed; pip install 'inferstack[local]'")
    return Path(spec.submodule_search_locations[0])


@cache
def _tokenizer() -> Any:
    from tokenizers import Tokenizer  # 60 ms, only when a text is embedded

    tokenizer = Tokenizer.from_file(str(_package() / "tokenizers" / "l2_supercat_tokenizer_config.json"))
    tokenizer.no_padding()
    # It keeps each text that it has seen, 3 KB for one with a prompt and its answer, and was at 60 MB more after 20,000 requests
    # (tokenizers 0.23.3). Without a cache it is as fast: this model takes a text whole, and no two are the same.
    tokenizer.model._resize_cache(0)
    return tokenizer


@cache
def _weights() -> Matrix:
    from safetensors.numpy import load_file

    tensors = load_file(str(_package() / "weights" / "l2_supercat_256.safetensors"))
    return np.asarray(next(iter(tensors.values())), dtype=np.float32)


@cache
def _lift(base: int, dimensions: int) -> Matrix:
    generator = np.random.default_rng(SEED)
    orthonormal, _ = np.linalg.qr(generator.standard_normal((dimensions, base)))
    return np.asarray(orthonormal.T, dtype=np.float32)


def lifted(rows: Matrix, dimensions: int) -> Matrix:
    """Unit vectors of that many dimensions, as near to each other as the rows; of fewer, the leading ones."""
    base = rows.shape[1]
    vectors = rows[:, :dimensions] if dimensions <= base else rows @ _lift(base, dimensions)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-9), dtype=np.float32)


def count_tokens(text: str) -> int:
    return len(_tokenizer().encode(text, add_special_tokens=False).ids)


def token_spans(text: str) -> list[tuple[int, int]]:
    """Where each token stands, in characters; those of one character in several tokens stand at the same place.

    Piece by piece, cut between words: the tokenizer keeps the interpreter for as long as it works, 2 s for a megabyte.
    """
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = start + PIECE
        if end < len(text):
            cut = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = cut if cut > start else end
        offsets = _tokenizer().encode(text[start:end], add_special_tokens=False).offsets
        found += [(start + first, start + last) for first, last in offsets]
        start = end
    return found


def embed(texts: list[str], dimensions: int) -> Matrix:
    """Unit vectors, shape (len(texts), dimensions); an empty text gives a zero vector."""
    rows = np.zeros((len(texts), BASE_DIMENSIONS), dtype=np.float32)
    weights = _weights()
    for place, text in enumerate(texts):
        ids = _tokenizer().encode(text, add_special_tokens=False).ids
        if ids:
            rows[place] = weights[ids].mean(axis=0)
    return lifted(rows, dimensions)
