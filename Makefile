# The commands of this repository. `make` lists them.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# The number of processes that run the tests.
TEST_PROCESSES ?= 2
# More arguments for pytest, e.g. make test-sqlite PYTEST_ARGS="tests/agents -x"
PYTEST_ARGS ?=
# Arguments for the pictures, e.g. make screenshots SCREENSHOT_ARGS="--only agents/ --modes 390"
SCREENSHOT_ARGS ?=

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# The locks name every package, so there is nothing to resolve; no file is installed whose hash they do not hold.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps
# Processes of the tests keep what Python compiled, also where the environment forbids it: they are some hundred, and each would
# compile the product again, and each of pytest's all tests.
test test-%: export PYTHONDONTWRITEBYTECODE :=
# One process runs a whole file, so that what its tests share is made once; files that start servers come first, in our order.
PYTEST := $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

.PHONY: help
help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# --- The environment: made once, brought up to date when the pins change ---------------------------

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed (looked for '$(PYTHON)'; set PYTHON=…)."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: locks/runtime.txt | $(BIN)/python
	@echo "Installing what it needs to run, into $(VENV) …"
	@$(PIP) -r locks/runtime.txt
	@touch $@

$(VENV)/.installed-dev: locks/dev.txt | $(BIN)/python
	@echo "Installing what it needs to be tested, into $(VENV) …"
	@$(PIP) -r locks/dev.txt
	@touch $@ $(VENV)/.installed

.PHONY: env
env: $(VENV)/.installed-dev ## make or update the development environment

# An environment of its own: nothing but this target needs uv. A version stays as locked until a pin wants another.
LOCK := $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make lock"

.PHONY: rules-check
rules-check: ## try every rule and alert of deploy/prometheus with its cases; needs promtool
	promtool check rules deploy/prometheus/brokkr.rules.yaml
	promtool test rules deploy/prometheus/*.test.yaml

.PHONY: kustomize
kustomize: kubernetes ## write the manifests below deploy/kustomize anew from the Helm charts
	@$(BIN)/python -m tests.support.chart

.PHONY: lock
lock: ## write locks/ anew from requirements*.txt: every package with its version and its hashes
	@$(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@# The product alone: what is listed by name but the tests' plugin, at the versions of the whole list.
	@sed '/^# Pulled in/,$$d; /^pytest-django==/d' requirements.txt \
		| $(LOCK) --constraint requirements.txt --output-file locks/runtime.txt -
	@$(LOCK) --output-file locks/dev.txt requirements-dev.txt
	@$(LOCK) --output-file locks/image.txt requirements-image.txt
	@# On top of the runtime.
	@sed '/^-r /d; /^# Pulled in/,$$d' requirements-tracing.txt \
		| $(LOCK) --constraint requirements-tracing.txt --output-file locks/tracing.txt -
	@sed '/^# Pulled in/,$$d' requirements-agent.txt \
		| $(LOCK) --constraint requirements-agent.txt --output-file locks/agent.txt -

# --- Running ---------------------------------------------------------------------------------------

# This server speaks plain http on your own machine, where browsers do not send cookies marked secure.
run: export BROKKR_COOKIE_SECURE ?= false
run: export BROKKR_BIND ?= 127.0.0.1
.PHONY: run
run: $(VENV)/.installed ## run the broker here: web and worker, on loopback, port 3000, data in ./data
	@echo "Bringing the database up to date …"
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py bootstrap --with-site-user --with-webhook-key
	@exec $(BIN)/python manage.py serve

# --- Testing ---------------------------------------------------------------------------------------

# Which tests `make test-sqlite` and `make test-postgres` run: all that can, so that either shows what the other leaves out.
# What the last three need has a target for itself.
SQLITE_TESTS ?= not faults and not kubernetes and not image
POSTGRES_TESTS ?= not browser and not faults and not kubernetes and not image

# At once, because tests that start servers mostly wait. What touches no database runs once, on the side of SQLite; what any
# database will do for runs once, on PostgreSQL, which takes less (types, NUL, lengths).
.PHONY: test
test: ## run the whole test suite, on SQLite and on PostgreSQL
	@$(MAKE) -j2 --keep-going --output-sync=target test-sqlite test-postgres \
		SQLITE_TESTS="not any_database and $(SQLITE_TESTS)" \
		POSTGRES_TESTS="not no_database and $(POSTGRES_TESTS)"

.PHONY: chromium
chromium: env ## install a browser for the browser tests when there is none
	@$(BIN)/python -m tests.browser.chromium

.PHONY: test-browser
test-browser: chromium ## run the tests of the admin in a browser
	@$(BIN)/python -m pytest tests/browser $(PYTEST_ARGS)

.PHONY: test-sqlite
test-sqlite: chromium ## run the tests on SQLite, including those in a browser
	@echo "== tests on SQLite"
	@env -u DATABASE_URL -u BROKKR__DATABASE__URL $(PYTEST) -m "$(SQLITE_TESTS)" $(PYTEST_ARGS)

.PHONY: test-postgres
test-postgres: env ## run the tests on PostgreSQL: the server DATABASE_URL names, or one of our own
	@echo "== tests on PostgreSQL"
	@$(BIN)/python -m tests.support.postgres $(PYTEST) -m "$(POSTGRES_TESTS)" $(PYTEST_ARGS)

.PHONY: test-rollouts
test-rollouts: env ## let anything happen to rollouts for 1,000 runs of 50 steps, on PostgreSQL
	@BROKKR_TEST_ROLLOUT_RUNS=1000 $(BIN)/python -m tests.support.postgres $(BIN)/python -m pytest \
		tests/rollouts/test_state_machine.py $(PYTEST_ARGS)

.PHONY: fuzz-schemas
fuzz-schemas: env ## check 100,000 generated schemas of parameters: each is refused or checks any instance
	@$(BIN)/python -m tests.parameter_schemas.fuzz 100000

.PHONY: fuzz-masks
fuzz-masks: env ## look for values of Secrets in what viewers are shown of 20,000 generated texts, five ways
	@BROKKR_TEST_MASKED_TEXTS=20000 $(BIN)/python -m pytest -n $(TEST_PROCESSES) tests/stacks/test_masks_hold.py $(PYTEST_ARGS)

# The seed of the requests. CI's is in schemathesis.toml.
SEED ?= 2

.PHONY: fuzz-api
fuzz-api: env ## send other requests than CI does to a broker on SQLite, with each kind of key: SEED=7
	@env -u DATABASE_URL -u BROKKR__DATABASE__URL BROKKR_TEST_SEED=$(SEED) \
		$(BIN)/python -m pytest tests/live/test_schemathesis.py $(PYTEST_ARGS)

# More arguments for the comparison, e.g. make fuzz-manifests FUZZ_ARGS="--seed 7 --keep 2000"
FUZZ_ARGS ?=

.PHONY: fuzz-manifests
fuzz-manifests: env ## compare the check of manifests with agents' own parser over 100,000 texts; needs cargo
	@command -v cargo >/dev/null || { echo "cargo is needed: https://rustup.rs"; exit 1; }
	@$(BIN)/python -m tests.fuzz.manifests $(FUZZ_ARGS)

# One after the other: they measure times. -rs says which were left out, and why.
.PHONY: test-faults
test-faults: env ## stop, silence, lock and demote a PostgreSQL under a running broker, and put poolers before it
	@echo "== faults of the database"
	@$(BIN)/python -m tests.support.pgbouncer
	@$(BIN)/python -m pytest tests/faults -rs $(PYTEST_ARGS)

.PHONY: alerts-live
alerts-live: env ## let a real Prometheus tell of errors, of a worker and of a database that are gone; needs prometheus
	@command -v prometheus >/dev/null || { echo "Prometheus is needed: apt-get install prometheus"; exit 1; }
	@$(BIN)/python -m pytest tests/faults/test_alerts.py -rs $(PYTEST_ARGS)

# The image's name, and the base that it is built on, e.g. make image IMAGE=registry.example.com/brokkr-broker:1.0.0
IMAGE ?= brokkr-broker:$(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
BASE ?= python:3.11-slim

.PHONY: image
image: ## build the image with docker, podman or buildah, whichever works here
	@deploy/image/build $(IMAGE) --build-arg BASE=$(BASE)

.PHONY: image-check
image-check: env ## build the image without engine and registry, and run it; needs root, buildah and debootstrap
	@$(BIN)/python -m tests.support.image
	@$(BIN)/python -m pytest tests/deploy/test_image.py $(PYTEST_ARGS)

.PHONY: kubernetes
kubernetes: env ## build what tests with a cluster need, once; KUBERNETES_PROGRAMS names the folder; needs Go and apt-get
	@$(BIN)/python -m tests.support.kubernetes

# BROKKR_TEST_AGENT_KILLS=50 kills the agent more often than the suite does.
.PHONY: test-cluster
test-cluster: kubernetes ## try the agent beside a real Kubernetes API server
	@$(BIN)/python -m pytest tests/brokkr_agent -m kubernetes -rs $(PYTEST_ARGS)

# In one process, because the API server takes most of the time.
.PHONY: chart-check
chart-check: kubernetes ## try chart, manifests and first cluster with helm and a real Kubernetes API server
	@$(BIN)/python -m pytest tests/deploy -m kubernetes -rs $(PYTEST_ARGS)

# DEMO_ARGS=--end ends it after the last step.
DEMO_ARGS ?=

.PHONY: demo
demo: kubernetes ## run a broker, two clusters and two agents: a good version, a bad one, a rollout and a rollback
	@$(BIN)/python -m tests.support.demo $(DEMO_ARGS)

# More arguments, e.g. make chaos CHAOS_ARGS="--seed 7 --seconds 120"
CHAOS_ARGS ?=

.PHONY: chaos
chaos: env ## kill, cut, silence, restart and fail over at random around a simulated fleet for ten minutes, and judge
	@$(BIN)/python -m tests.chaos $(CHAOS_ARGS)

.PHONY: example
example: env ## run examples/first-deployment against a broker started for it
	@$(BIN)/python -m tests.support.server examples/first-deployment/run.sh

.PHONY: example-rollout
example-rollout: env ## run examples/staged-rollout against a broker started for it
	@$(BIN)/python -m tests.support.server examples/staged-rollout/run.sh

# More arguments for the clients, e.g. make clients CLIENTS_ARGS="--cached oapi-codegen"
CLIENTS_ARGS ?=

.PHONY: clients
clients: env ## generate clients from openapi/ with each tool that is here, and let each perform the first deployment
	@$(BIN)/python -m pytest tests/live/test_generated_client.py --quiet
	@$(BIN)/python -m tests.support.server $(BIN)/python -m tests.clients $(CLIENTS_ARGS)

.PHONY: screenshots
screenshots: chromium ## write pictures of every page and question of the admin, and pages.json, to ./screenshots
	@$(BIN)/python -m tests.browser.screenshots $(SCREENSHOT_ARGS)

.PHONY: pictures
pictures: chromium ## take the pictures of the README anew
	@$(BIN)/python -m tests.browser.pictures

# --- Checking --------------------------------------------------------------------------------------

.PHONY: check
check: ## everything that CI runs
	@.ci/run

.PHONY: lint
lint: env ## check style and format of the code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: format
format: env ## put the code into the format that lint wants
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: imports
imports: env ## check that imports point down the ladder
	@$(BIN)/lint-imports

.PHONY: types
types: env ## check the types
	@$(BIN)/mypy .

.PHONY: migrations
migrations: env ## check that the migrations say what the models say
	@$(BIN)/python manage.py makemigrations --check --dry-run

.PHONY: schema
schema: env ## write openapi/ anew from the code: the API's document, and the same in OpenAPI 3.0
	@mkdir -p openapi
	@$(BIN)/python manage.py spectacular --validate --fail-on-warn --file openapi/brokkr-v1.yaml
	@$(BIN)/python -m core.api.openapi.version_3_0 openapi/brokkr-v1.yaml openapi/brokkr-v1-3.0.yaml

# --- Measuring: nothing here passes or fails; docs/performance.md says how to read it ---------------

# More arguments for a bench, e.g. make bench-agent-calls BENCH_ARGS="--rounds 3"
BENCH_ARGS ?=

.PHONY: bench-suite
bench-suite: chromium ## time the test suite beside that of another revision: BENCH_ARGS="--against main"
	@$(BIN)/python -m bench.suite $(BENCH_ARGS)

.PHONY: bench-agent-calls
bench-agent-calls: env ## measure polls, heartbeats and looking for work against a bare view
	@$(BIN)/python -m bench.agent_calls $(BENCH_ARGS)

.PHONY: bench-calls
bench-calls: env ## measure every kind of call beside another revision: BENCH_ARGS="--against main"
	@$(BIN)/python -m bench.calls $(BENCH_ARGS)

.PHONY: bench-scale
bench-scale: env ## measure the poll's statement among more stacks, versions and events
	@$(BIN)/python -m bench.scale $(BENCH_ARGS)

.PHONY: bench-pending
bench-pending: env ## measure an agent's question for work among 1,000 and 100,000 orders
	@$(BIN)/python bench/pending_orders.py

.PHONY: bench-admin
bench-admin: env ## measure the admin's pages in a large world: BENCH_ARGS="--against main"
	@$(BIN)/python -m bench.admin_pages $(BENCH_ARGS)

.PHONY: bench-comparisons
bench-comparisons: env ## compare large upgrades with git's own differences, and measure the pages of large versions
	@$(BIN)/python -m bench.comparisons $(BENCH_ARGS)

.PHONY: bench-fleet
bench-fleet: env ## measure the fleet at a glance with 10,000 agents
	@$(BIN)/python -m bench.fleet $(BENCH_ARGS)

.PHONY: bench-inventory
bench-inventory: env ## measure searches of resources and images among two million rows, and what a publish costs
	@$(BIN)/python -m bench.inventory $(BENCH_ARGS)

.PHONY: bench-rollouts
bench-rollouts: env ## measure polls among holds beside those of the revision before rollouts, and ticks of 100 rollouts
	@$(BIN)/python -m bench.rollouts $(BENCH_ARGS)

.PHONY: bench-seals
bench-seals: env ## measure what sealing the audit log costs its writers, and how soon rows are sealed
	@$(BIN)/python -m bench.seals $(BENCH_ARGS)

.PHONY: bench-plans
bench-plans: env ## measure plans of writes among 10,000 agents that serve 20 stacks each
	@$(BIN)/python -m bench.plans $(BENCH_ARGS)

.PHONY: bench-bulk
bench-bulk: env ## measure the plans and the steps of bulk jobs on 10,000 agents that serve 20 stacks each
	@$(BIN)/python -m bench.bulk $(BENCH_ARGS)

.PHONY: bench-manifests
bench-manifests: env ## measure the check of 10 MiB of YAML beside its parser alone
	@$(BIN)/python -m bench.manifests

# The other side of the comparison, e.g. make bench-templates REVISION=v1.0.0
REVISION ?= HEAD

.PHONY: bench-templates
bench-templates: env ## measure compiling and rendering a template beside another revision
	@$(BIN)/python -m bench.tera_revisions $(REVISION) $(BENCH_ARGS)

.PHONY: bench-agent
bench-agent: kubernetes ## measure our agent beside a real API server: requests, CPU, memory, published to applied
	@$(BIN)/python -m bench.own_agent $(BENCH_ARGS)

.PHONY: bench-waiting
bench-waiting: env ## measure 1,000 agents that wait for news: how soon it comes, and what others notice
	@$(BIN)/python -m bench.waiting $(BENCH_ARGS)

.PHONY: bench-simulation
bench-simulation: env ## let 10,000 agents live for ten minutes against a broker in production's form
	@$(BIN)/python -m bench.simulation $(BENCH_ARGS)

.PHONY: bench-compare
bench-compare: env ## measure a poll's CPU here and in other revisions: BENCH_ARGS="--against main"
	@$(BIN)/python -m bench.compare $(BENCH_ARGS)

.PHONY: bench-faults
bench-faults: env ## measure what clients see while the database hangs, here or with BENCH_ARGS="--revision main"
	@$(BIN)/python -m bench.faults $(BENCH_ARGS)

.PHONY: bench-simulated-rollouts
bench-simulated-rollouts: env ## let 2,000 agents live through rollouts, good and bad, with every fault, for 15 minutes
	@$(BIN)/python -m bench.simulation --agents 2000 --joining 0 --duration 900 --interval 30 --stacks 400 --changes 0.5 \
		--rollouts --faults drop,slow,duplicate,skew,kill --processes 2 --kill-every 180 $(BENCH_ARGS)

.PHONY: bench-memory
bench-memory: env ## watch the memory of a web process over a million requests
	@$(BIN)/python -m bench.memory $(BENCH_ARGS)

.PHONY: clean
clean: ## remove the environment and the tools' caches; the data stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis .import_linter_cache .clients
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
