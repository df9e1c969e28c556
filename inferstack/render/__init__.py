"""Worker code from templates and shared modules: pure, the same spec gives the same bytes."""

from inferstack.render.worker import Module, RenderedWorker, render_worker

__all__ = ["Module", "RenderedWorker", "render_worker"]
