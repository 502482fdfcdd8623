# The door to everything. Each target is one line here; longer recipes live in scripts/.

EXPERIMENT ?= stadiums
PROFILE ?= quick
# Round trips added before the dependencies: loopback (nothing), same-az or cross-az.
NETWORK ?= loopback
# Whose traces `make traces` shows and `make fetch-traces` takes back from AWS.
RUN ?= bench/results/latest
# Which requests are traced: off, sampled (all of the cold phase, one of 20 others), half or all.
TRACING ?= sampled
# How `make traces` prints: table, json or markdown.
FORMAT ?= table
# The load scenario that `make bench-artillery` runs.
SCENARIO ?= bench/scenarios/sustained.yml
export CARGO_TARGET_DIR ?= $(CURDIR)/target

FUNCTIONS := $(CARGO_TARGET_DIR)/functions
BENCH := $(CARGO_TARGET_DIR)/release/bench
LAB := $(CARGO_TARGET_DIR)/release/lambda-lab
EXPERIMENT_FILE := bench/experiments/$(EXPERIMENT).toml

.DEFAULT_GOAL := help
.PHONY: help setup build bench bench-artillery table traces fetch-traces lab test conformance bench-lab bench-telemetry check fmt clippy doc deny clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

bench: setup build ## measure all variants side by side on this machine (PROFILE=quick|article|smoke NETWORK=loopback|same-az|cross-az TRACING=off|sampled|half|all)
	@$(BENCH) run --experiment $(EXPERIMENT_FILE) --profile $(PROFILE) --network $(NETWORK) --tracing $(TRACING) --lab $(LAB) \
		--functions-dir $(FUNCTIONS)

bench-artillery: setup build ## the same load scenario by the built-in engine and by Artillery (SCENARIO=bench/scenarios/ramp.yml); needs Node.js
	@artillery=$$(scripts/artillery) && $(BENCH) artillery --scenario $(SCENARIO) --experiment $(EXPERIMENT_FILE) --network $(NETWORK) \
		--lab $(LAB) --functions-dir $(FUNCTIONS) --artillery $$artillery

table: ## print the last run's table again
	@$(BENCH) table bench/results/latest/run.json

traces: ## where the time went in the last run (or RUN), step by step (FORMAT=table|json|markdown), and as a page in its folder
	@$(BENCH) traces $(RUN) --format $(FORMAT)
	@$(BENCH) traces $(RUN) --format html --output $(RUN)/traces.html >&2

fetch-traces: ## take the traces of a run on AWS back from X-Ray (RUN=bench/results/<run>); builds the bench with the AWS SDK
	@cargo build --locked --quiet --release --package bench --features aws
	@$(BENCH) fetch-traces $(RUN)

lab: setup build ## serve all variants on localhost until Ctrl-C
	@$(LAB) serve --experiment $(EXPERIMENT_FILE) --functions-dir $(FUNCTIONS) --network $(NETWORK) --follow

test: setup build ## every test, against real PostgreSQL, PgBouncer and Redis
	@scripts/test

conformance: ## the lab judged by AWS's own clients and by hostile functions, with this machine's limits and without
	@scripts/conformance

bench-lab: ## what the lab itself costs, beside `cargo lambda watch`
	@scripts/bench-lab

bench-telemetry: ## what traces cost an invocation: CPU and instructions, off, not sampled and sampled
	@cargo bench --locked --quiet --package telemetry --bench traces

check: fmt clippy doc deny test ## the steps that CI runs

setup: ## install what is missing: postgresql, pgbouncer, redis
	@scripts/setup

build: ## build functions, lab and bench as they are measured
	@scripts/build

fmt: ## formatting
	cargo fmt --all --check

clippy: ## lints, all of them errors
	cargo clippy --workspace --features bench/aws --all-targets --locked -- -D warnings

doc: ## the crates' documentation, with its warnings as errors
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --features bench/aws --no-deps --locked

deny: ## licences, sources, duplicates and advisories of all dependencies
	@scripts/deny

clean: ## remove everything built
	cargo clean
