"""Cloudflare's models, limits and prices as data (each file carries its sources and date), and look-ups on them."""

from inferstack.catalog.bounds import Bounds, bounds_of
from inferstack.catalog.models import Catalog, Model, Price, builtin, find_model, model_names, sources
from inferstack.catalog.platform import limit, prices, source_of

__all__ = [
    "Bounds",
    "Catalog",
    "Model",
    "Price",
    "bounds_of",
    "builtin",
    "find_model",
    "limit",
    "model_names",
    "prices",
    "source_of",
    "sources",
]
