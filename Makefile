# One command to see it, one to test it. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test bench lint clean

BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo:  ## A real app from commit to staging, on this machine
	@scripts/bootstrap demo
	@jenkins-cd demo

test:  ## Lint, types and every test
	@scripts/bootstrap tests
	$(MAKE) --no-print-directory lint
	pytest -n 2

lint:  ## ruff and mypy
	@scripts/bootstrap tests
	ruff check .
	ruff format --check .
	mypy

bench:  ## Time jenkins-cd against what one would use instead
	@scripts/bootstrap demo
	python -m benchmarks

clean:  ## Remove what was made here (not the tools in the cache)
	rm -rf .venv .bootstrap.lock .jenkins-cd build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
