"""`inferstack models refresh` against a live API: the local Cloudflare's, which knows what the catalogue knows."""

from __future__ import annotations

import pytest

from inferstack import catalog, local
from inferstack.author import models_refresh
from inferstack.errors import AuthenticationError, ConfigError
from tests.conftest import Api


@pytest.fixture
def account(cloudflare: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", local.token_of(cloudflare.folder))
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", local.ACCOUNT_ID)
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", cloudflare.running.base_url)
    return cloudflare


def test_an_account_that_serves_the_catalogue_shows_no_difference(account: Api) -> None:
    assert models_refresh.refresh().endswith("\nno difference")


def test_what_the_account_says_otherwise_is_shown(account: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    bge, llama = "@cf/baai/bge-base-en-v1.5", "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
    old = {model.name: model for model in catalog.builtin().all()}
    changed = catalog.Model(name=bge, task="Text Embeddings", status="live", context_window=1, prices=())
    own = catalog.Model(name="@cf/me/gone", task="Translation", status="live")
    del old[llama]
    monkeypatch.setattr(catalog, "builtin", lambda: catalog.Catalog([*old.values(), changed, own]))
    shown = models_refresh.refresh()
    assert f"+ {llama}: new, Text Generation" in shown
    assert "- @cf/me/gone: not served any more" in shown
    assert f"~ {bge}: context window 1 → 153600" in shown
    assert f"~ {bge}: price per M input tokens none → 0.0666 USD" in shown


def test_without_a_token_or_with_a_wrong_one_it_says_so(account: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "wrong")
    with pytest.raises(AuthenticationError, match="Workers AI Read"):
        models_refresh.refresh()
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN")
    with pytest.raises(ConfigError, match="needs CLOUDFLARE_API_TOKEN"):
        models_refresh.refresh()
