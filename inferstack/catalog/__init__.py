"""Cloudflare's models as data (each file carries its sources and date), and look-ups on them."""

from inferstack.catalog.models import Model, find_model, model_names

__all__ = ["Model", "find_model", "model_names"]
