# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DO_NOT_TRACK = 1
export HF_HUB_OFFLINE = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test test-long interoperability check bench bench-gpu docs clean
.DEFAULT_GOAL := demo

# torch comes first and pinned, so that no other package pulls another build of it.
$(VENV)/demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt -e '.[all]'
	touch $@

$(VENV)/dev: $(VENV)/demo
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	touch $@

demo: $(VENV)/demo  ## train, prove and question a small model in front of you (about 15 minutes)
	$(BIN)/freehold tour examples/commons/charter.toml

test: $(VENV)/dev  ## all tests but the long ones
	$(BIN)/python -m pytest -n 2 -m 'not long' tests src

test-long: $(VENV)/dev  ## the long ones too
	$(BIN)/python -m pytest tests src

# Seventeen packages that nothing else of ours needs: in an environment of its own.
.venv-oms/bin/model_signing:
	$(PYTHON) -m venv .venv-oms
	.venv-oms/bin/pip install -q model-signing==1.1.1 pyopenssl

interoperability: $(VENV)/dev .venv-oms/bin/model_signing  ## model-signing verifies our signature, and we verify its
	FREEHOLD_MODEL_SIGNING=.venv-oms/bin/model_signing $(BIN)/python -m pytest tests/proof/test_interoperability.py

check: $(VENV)/dev  ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev  ## every figure, quickly; prints what falls short
	$(BIN)/python bench/all.py --quick

# On a lent machine nothing can be installed: without .venv the system's Python serves, if it has torch.
bench-gpu:  ## every figure that wants a GPU, under 8 minutes, kept as they come (in $$OUT too, if that is set)
	PYTHONPATH=src:bench $(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) bench/gpu.py --save

docs: $(VENV)/dev  ## regenerate the pages that come from code
	$(BIN)/python docs/generate.py

clean:  ## remove the environment and the demo's workspace
	rm -rf $(VENV) examples/commons/.freehold
