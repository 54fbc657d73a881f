# The commands of the README; each works from a fresh checkout of Debian 12.

SHELL := /bin/bash
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
SEEDS ?= 200
folders := core messages storage actors runtime client tests bench examples
sources = $(shell find $(folders) -name '*.[ch]pp')
tidied = $(shell find core storage -name '*.cpp')

.PHONY: help
help: ## Prints this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: build ## Shows a three-node cluster losing a node, and what it does about it
	@scripts/demo.sh

.PHONY: test
test: build ## Builds everything and runs all tests
	@# CAF 0.17 may hang while it shuts down detached actors: one more try then.
	@ctest --preset release --repeat after-timeout:3

.PHONY: build
build: setup ## Builds build/release/coveyd and build/release/covey
	@cmake --preset release
	@cmake --build --preset release -j $(JOBS)

.PHONY: setup
setup: ## Installs the Debian packages that are missing
	@scripts/setup-debian.sh

.PHONY: cluster
cluster: build ## Runs three nodes until Ctrl-C; DETACH=1 leaves them running, CERTS=data/certs: TLS
	@COVEY_CERTS=$(CERTS) scripts/cluster.sh $(if $(DETACH),start,foreground)
	@$(if $(DETACH),echo "stop them with make cluster-stop")

.PHONY: cluster-stop
cluster-stop: ## Stops the nodes of make cluster DETACH=1
	@scripts/cluster.sh stop

.PHONY: certs
certs: setup ## Makes a CA and certificates for TLS: CERTS=data/certs NODES="n1 n2 n3"
	@scripts/make-certs.sh $(or $(CERTS),data/certs) $(NODES)

.PHONY: simulate
simulate: build ## Simulates a cluster under faults: SEEDS=200, or SEED=42 alone
	@build/release/tests/covey_simulate $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

.PHONY: chaos
chaos: build ## Ten minutes of faults for five real nodes under load: SEED=42 SECONDS=600
	@COVEY_BIN=build/release tests/chaos/chaos.py --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED))

.PHONY: chaos-short
chaos-short: build ## Each kind of fault once for five real nodes under load: SEED=42
	@COVEY_BIN=build/release tests/chaos/chaos.py --short $(if $(SEED),--seed $(SEED))

.PHONY: bench
bench: build ## Measures a fresh three-node cluster (bench/README.md)
	@bench/cluster.py

.PHONY: format
format: ## Formats all sources
	@clang-format -i $(sources)

.PHONY: format-check
format-check: ## Fails if a source is not formatted
	@clang-format --dry-run -Werror $(sources)

.PHONY: tidy
tidy: setup ## Runs clang-tidy on core and storage
	@cmake --preset release >/dev/null
	@printf '%s\n' $(tidied) | xargs -n 1 -P $(JOBS) clang-tidy --quiet -p build/release
