.PHONY: setup up down test test-slow check fmt bench bench-data local fuzz wheel mutants docs release licences outdated
BIN := .venv/bin

setup:          ## Python and npm packages by lock file, the Pulumi CLI; seconds when nothing changed
	@python3 tools/setup.py

up: setup       ## the dev stack up on the local Cloudflare, with real embeddings if they come within a minute, and a question answered
	@$(BIN)/inferstack quickstart dev --fetch

down: setup     ## destroy the dev stack and stop the local Cloudflare
	@$(BIN)/inferstack down dev --samples --yes

local: setup    ## the local Cloudflare alone, in the foreground
	@$(BIN)/inferstack local

test: setup     ## every test but the enumerations
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-slow: setup ## enumerations: a fault at each request of an up, at each call of a Worker
	@$(BIN)/python -m pytest -n 2 --dist loadscope -m slow

check: setup    ## format, lint, types
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

fmt: setup
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

SECONDS ?= 600
SEED ?= 1

fuzz: setup     ## odd requests over the API and the bindings: SECONDS and SEED choose how long and which
	@$(BIN)/python -m tests.fuzz.run --seconds $(SECONDS) --seed $(SEED)

bench: setup    ## ratios against hand-written programs, into bench/results.json
	@$(BIN)/python bench/run.py

bench-data: setup ## KV, R2, D1, queues, cache, objects and assets beside miniflare, into bench/results.json
	@$(BIN)/python bench/data_plane.py

wheel: setup    ## the installable package, into dist/
	@rm -rf dist && $(BIN)/python -m hatchling build -t wheel && $(BIN)/python -m twine check --strict dist/*.whl

release: setup  ## changelog, version, wheel, commit, tag and dist/NOTES.md of VERSION=1.2.3; nothing is pushed
	@$(BIN)/python tools/release.py $(VERSION)

COUNT ?= 300

mutants: setup  ## small wrong changes that the fast tests must notice, by room, into bench/results.json: COUNT and SEED
	@$(BIN)/python bench/mutants.py --count $(COUNT) --seed $(SEED)

docs: setup     ## the site of the documentation, into site/; a link or an anchor that leads nowhere ends it
	@$(BIN)/inferstack docs && $(BIN)/python -m tools.docs_site

licences: setup ## docs/licences.md, from the metadata of what is installed with the package or by it
	@$(BIN)/python tools/licences.py

outdated: setup ## pinned versions of Python, npm and Go against the newest that can be had, as a table
	@$(BIN)/python tools/outdated.py
