"""Cloudflare's models, limits and prices as data (each file carries its sources and date), and look-ups on them."""

from inferstack.catalog.bounds import Bounds, bounds_of
from inferstack.catalog.dlp import DlpProfile, dlp_profiles, find_dlp_profile
from inferstack.catalog.external import external_models, external_sources, find_external, is_provider, slug, split_name
from inferstack.catalog.models import Catalog, Model, Price, builtin, find_model, model_names, sources
from inferstack.catalog.platform import limit, prices, source_of

__all__ = [
    "Bounds",
    "Catalog",
    "DlpProfile",
    "Model",
    "Price",
    "bounds_of",
    "builtin",
    "dlp_profiles",
    "external_models",
    "external_sources",
    "find_dlp_profile",
    "find_external",
    "find_model",
    "is_provider",
    "limit",
    "model_names",
    "prices",
    "slug",
    "source_of",
    "sources",
    "split_name",
]
