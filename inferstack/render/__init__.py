"""Worker code from templates and shared modules: pure, the same spec gives the same bytes."""

from inferstack.render.module import Module
from inferstack.render.worker import RenderedWorker, render_worker

__all__ = ["Module", "RenderedWorker", "render_worker"]
