"""Worker code from templates and shared modules: pure, the same spec gives the same bytes."""

from inferstack.render.module import Module
from inferstack.render.worker_code import RenderedWorker, digest_of, render_worker

__all__ = ["Module", "RenderedWorker", "digest_of", "render_worker"]
