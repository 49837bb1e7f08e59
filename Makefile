# make train [ARGS="experiment=..."] | make test [ARGS="tests/..."] | make env
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := uv==0.13.9

.PHONY: env train test lint
env: $(VENV)/.ready

$(VENV)/.ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 4))' \
		|| { echo "$(PYTHON) is older than 3.11.4; run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "environment: creating $(VENV) with $$($(PYTHON) --version)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "environment: installing the exact versions of requirements.txt (about 6 GB, a minute on a fast line)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --requirements requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@
	@echo "environment: ready"

train: env
	$(BIN)/python train.py $(ARGS)

test: env
	$(BIN)/python -m pytest $(ARGS)

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
