# The door to everything. Each target is one line here; longer recipes live in scripts/.

EXPERIMENT ?= stadiums
PROFILE ?= quick
# Round trips added before the dependencies: loopback (nothing), same-az or cross-az.
NETWORK ?= loopback
# At which distances `make ladder` measures, and whether (1) it also takes each lever away from the full set.
NETWORKS ?= loopback same-az
LEAVE_ONE_OUT ?=
# Whose traces `make traces` shows and `make fetch-traces` takes back from AWS.
RUN ?= bench/results/latest
# How often `make bench-aa` measures.
REPEATS ?= 20
# Which requests are traced: off, sampled (all of the cold phase, one of 20 others), half or all.
TRACING ?= sampled
# How far `make capacity` goes: quick (two variants, two situations) or full (all of bench/capacity.toml).
CAPACITY ?= quick
# How `make traces` and `make compare` print: table, json or markdown.
FORMAT ?= table
# Conditions that fail `make bench`, `table` and `compare`, separated by `;`, such as 'warm_ms_p50 ratio > 0.2': docs/GATES.md.
FAIL_IF ?=
# The two runs of `make compare`: run.json files, or the folders they are in.
FROM ?=
TO ?= bench/results/latest
# The load scenario that `make bench-artillery` runs.
SCENARIO ?= bench/scenarios/sustained.yml
export CARGO_TARGET_DIR ?= $(CURDIR)/target

FUNCTIONS := $(CARGO_TARGET_DIR)/functions
BENCH := $(CARGO_TARGET_DIR)/release/bench
LAB := $(CARGO_TARGET_DIR)/release/lambda-lab
GATES := $(if $(FAIL_IF),--fail-if '$(FAIL_IF)')
EXPERIMENT_FILE := bench/experiments/$(EXPERIMENT).toml

.DEFAULT_GOAL := help
.PHONY: help setup build build-ladder bench capacity ladder bench-aa bench-artillery table compare traces fetch-traces lab test conformance bench-lab bench-generator bench-telemetry check fmt clippy doc deny clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

bench: setup build ## measure all variants side by side on this machine (PROFILE=quick|article|smoke NETWORK=loopback|same-az|cross-az TRACING=off|sampled|half|all)
	@$(BENCH) run --experiment $(EXPERIMENT_FILE) --profile $(PROFILE) --network $(NETWORK) --tracing $(TRACING) --lab $(LAB) \
		--functions-dir $(FUNCTIONS) $(GATES)

bench-aa: setup build ## the bench judged by itself: the baseline against itself, REPEATS=20 times, must show no difference in 17 of 20
	@BENCH="$(BENCH)" scripts/bench-aa $(REPEATS)

capacity: setup build ## raise the rate until errors or apdex say stop, in several situations (CAPACITY=quick|full|smoke NETWORK=..)
	@$(BENCH) capacity --experiment $(EXPERIMENT_FILE) --profile $(CAPACITY) --network $(NETWORK) --lab $(LAB) --functions-dir $(FUNCTIONS)

ladder: setup build ## what each lever earned from baseline to optimized, near and far (PROFILE=quick|article|smoke LEAVE_ONE_OUT=1 NETWORKS="loopback same-az", each shown beside the other)
	@scripts/build-ladder
	@$(if $(filter 1,$(LEAVE_ONE_OUT)),scripts/build-ladder leave-one-out)
	@PROFILE="$(PROFILE)" TRACING="$(TRACING)" NETWORKS="$(NETWORKS)" LEAVE_ONE_OUT="$(LEAVE_ONE_OUT)" scripts/ladder

bench-artillery: setup build ## the same load scenario by the built-in engine and by Artillery (SCENARIO=bench/scenarios/ramp.yml); needs Node.js
	@artillery=$$(scripts/artillery) && $(BENCH) artillery --scenario $(SCENARIO) --experiment $(EXPERIMENT_FILE) --network $(NETWORK) \
		--lab $(LAB) --functions-dir $(FUNCTIONS) --artillery $$artillery

table: ## print the last run's table again
	@$(BENCH) table bench/results/latest/run.json $(GATES)

compare: ## two runs, before and after a commit, say: what changed and what is only drift (FROM=<run> TO=<run> FAIL_IF='..')
	@test -n "$(FROM)" || { echo "make compare: FROM is not set; name the earlier run: FROM=bench/results/<run>" >&2; exit 2; }
	@$(BENCH) compare $(FROM) $(TO) --format $(FORMAT) $(GATES)

traces: ## where the time went in the last run (or RUN), step by step (FORMAT=table|json|markdown), and as a page in its folder
	@$(BENCH) traces $(RUN) --format $(FORMAT)
	@$(BENCH) traces $(RUN) --format html --output $(RUN)/traces.html >&2

fetch-traces: ## take the traces of a run on AWS back from X-Ray (RUN=bench/results/<run>); builds the bench with the AWS SDK
	@cargo build --locked --quiet --release --package bench --features aws
	@$(BENCH) fetch-traces $(RUN)

lab: setup build ## serve all variants on localhost until Ctrl-C
	@$(LAB) serve --experiment $(EXPERIMENT_FILE) --functions-dir $(FUNCTIONS) --network $(NETWORK) --follow

test: setup build-ladder ## every test, against real PostgreSQL, PgBouncer and Redis
	@scripts/test

conformance: ## the lab judged by AWS's own clients and by hostile functions, with this machine's limits and without
	@scripts/conformance

bench-lab: ## what the lab itself costs, beside `cargo lambda watch`
	@scripts/bench-lab

bench-generator: ## what the load generator itself adds: send lag, and response times beside oha's
	@scripts/bench-generator

bench-telemetry: ## what traces cost an invocation: CPU and instructions, off, not sampled and sampled
	@cargo bench --locked --quiet --package telemetry --bench traces

check: fmt clippy doc deny test ## the steps that CI runs

setup: ## install what is missing: postgresql, pgbouncer, redis
	@scripts/setup

build: ## build functions, lab and bench as they are measured
	@scripts/build

build-ladder: build ## build the ladder's rungs too
	@scripts/build-ladder

fmt: ## formatting
	cargo fmt --all --check

clippy: ## lints, all of them errors
	cargo clippy --workspace --features bench/aws,ladder/all --all-targets --locked -- -D warnings

doc: ## the crates' documentation, with its warnings as errors
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --features bench/aws --no-deps --locked

deny: ## licences, sources, duplicates and advisories of all dependencies
	@scripts/deny

clean: ## remove everything built
	cargo clean
