# One command to see it, one to test it. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo lab test check quick soak bench docs library lint groovy-lint clean

BIN := .venv/bin
# Tests of the lab: they mostly wait for a cluster, so more of them run at once than there are processors.
LAB_TESTS := tests/lab tests/cluster tests/argocd
LAB_WORKERS ?= 5
export PATH := $(CURDIR)/$(BIN):$(PATH)

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo:  ## A real app from commit to staging, on this machine (LAB=1: as pods, on a real Kubernetes; LAB=argocd: through Argo CD)
	@scripts/bootstrap $(if $(LAB),lab,demo)
	@$(if $(LAB),python -m tests.lab demo $(filter argocd,$(LAB)),jenkins-cd demo)

lab:  ## Start real systems on this machine: Kubernetes with a node, a registry, Git servers (SONARQUBE=1: only that)
	@scripts/bootstrap $(if $(SONARQUBE),demo,lab)
	@python -m tests.lab $(if $(SONARQUBE),sonarqube,up)

test:  ## Lint, types and every test
	@scripts/bootstrap tests
	$(MAKE) --no-print-directory lint groovy-lint
	@$(MAKE) --no-print-directory quick
	pytest tests/lab/test_crash.py
	pytest -n $(LAB_WORKERS) --dist loadscope -m "not alone" $(LAB_TESTS) --ignore tests/lab/test_crash.py
	pytest -m alone $(LAB_TESTS) --ignore tests/lab/test_crash.py

check:  ## Lint, types and the tests that need no cluster, for between two commits
	$(MAKE) --no-print-directory lint quick

quick:
	@scripts/bootstrap tests
	pytest -n 2 --dist loadscope $(addprefix --ignore ,$(LAB_TESTS))

soak:  ## Each race on Argo CD fifty times (TIMES=…), with a table of the verdicts
	@scripts/bootstrap lab
	python -m tests.argocd.races --times $(or $(TIMES),50)

lint:  ## ruff and mypy on the Python
	@scripts/bootstrap demo
	ruff check .
	ruff format --check .
	mypy

groovy-lint:  ## CodeNarc on the shared library
	@scripts/bootstrap tests
	python -m tests.jenkins.lint vars resources Jenkinsfile.example Jenkinsfile.all-options.example

bench:  ## Time jenkins-cd against what one would use instead
	@scripts/bootstrap demo
	python -m benchmarks

docs:  ## Write the reference of both files and their JSON Schemas to build/docs
	@scripts/bootstrap demo
	@mkdir -p build/docs
	@for file in app platform; do \
	    jenkins-cd schema $$file --output build/docs/$$file.schema.json && \
	    jenkins-cd schema $$file --markdown --output build/docs/$$file.md || exit 1; done

library:  ## Write the shared library, with its package in it, to build/library
	@scripts/bootstrap demo
	@scripts/library

clean:  ## Remove what was made here (not the tools in the cache)
	rm -rf .venv .bootstrap.lock .jenkins-cd build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
