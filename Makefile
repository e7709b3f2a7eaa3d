# What can be done here, with one word each? `make` alone prints the list.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/penstock
VERSITYGW := $(CACHE)/bin/versitygw
VERSITYGW_VERSION := v1.8.0

# The folders that hold Python, as far as they exist.
SOURCES := $(wildcard src tests tools bench projects)

# The installer stands in .venv itself, from a lock of its own: the same one on every machine.
UV := $(BIN)/uv
UV_INSTALL := $(UV) pip install --quiet --python $(PY)

.PHONY: help
help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---------------------------------------------------------------------------------------------------- install

.PHONY: install
install: $(VENV)/.installed-dev ## Create .venv from the lock, with everything that developing needs

# Any Python from 3.11 on will do; the first that answers makes the environment.
$(VENV)/.created: requirements/uv.txt
	@for python in $(PYTHON) python3 python3.11 python3.12 python3.13 python3.14; do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found="$$python"; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then echo "Python 3.11 or newer is needed; say where: make PYTHON=/path/to/python3" >&2; exit 1; fi; \
	"$$found" -m venv $(VENV); \
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

# One stamp per set: either set can be installed first, the other adds what it lacks.
$(VENV)/.installed-%: requirements/%.txt pyproject.toml $(VENV)/.created
	@$(UV_INSTALL) --require-hashes -r $<
	@$(UV_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: lock
lock: $(VENV)/.created ## Resolve the newest versions again and write the lock files
	@compile="$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header"; \
	$$compile --upgrade pyproject.toml --extra all --group dev -o requirements/dev.txt; \
	$$compile pyproject.toml -c requirements/dev.txt -o requirements/core.txt; \
	$$compile pyproject.toml -c requirements/dev.txt --extra postgres --extra s3 --group demo -o requirements/demo.txt; \
	$$compile pyproject.toml -c requirements/dev.txt --extra postgres --extra kafka --extra iceberg --group lakehouse -o requirements/lakehouse.txt; \
	echo uv | $$compile --upgrade - -o requirements/uv.txt; \
	printf 'dbt-core<1.12\ndbt-duckdb\n' | $$compile --upgrade - -o requirements/dbt.txt

# ------------------------------------------------------------------------------------------------------- demo

.PHONY: demo
demo: $(VENV)/.installed-demo ## Run the warehouse pipeline on this machine, end to end
	@$(PY) -m projects.warehouse.demo

# What its servers need of this machine is looked at before they are fetched, and what lacks is told all at once.
.PHONY: lakehouse-ready
lakehouse-ready:
	@[ -e $(VENV)/.installed-lakehouse ] || echo "· Python's packages, from the lock into $(VENV)"
	@$(MAKE) --no-print-directory $(VENV)/.installed-lakehouse
	@$(PY) -m projects.lakehouse.services needs
	@$(MAKE) --no-print-directory versitygw

.PHONY: lakehouse
lakehouse: lakehouse-ready ## Run the lakehouse on this machine: Kafka, Flink, Iceberg, dbt
	@$(PY) -m projects.lakehouse.demo

# ------------------------------------------------------------------------------------------------------ checks

.PHONY: lint
lint: $(VENV)/.installed-dev ## Style, format, and who may import whom
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/ruff format --quiet --check $(SOURCES) || { echo "Not formatted: make format" >&2; exit 1; }
	@$(BIN)/lint-imports --no-cache

.PHONY: format
format: $(VENV)/.installed-dev ## Bring the code into its format
	@$(BIN)/ruff check --quiet --fix-only $(SOURCES)
	@$(BIN)/ruff format --quiet $(SOURCES)

.PHONY: types
types: $(VENV)/.installed-dev ## Check every type
	@$(BIN)/mypy $(SOURCES)

.PHONY: docs
docs: $(VENV)/.installed-dev ## Write the reference pages again from the classes they describe
	@$(PY) -m tools.reference

# ------------------------------------------------------------------------------------------------------- tests

# Most tests share two workers; those that measure seconds have the machine to themselves.
.PHONY: pytest
pytest: $(VENV)/.installed-dev versitygw jars interpreters sshd units brokers dbt containers oidc
	@$(BIN)/pytest -n 2 --dist loadscope -m "not acceptance and not chaos and not long"
	@$(BIN)/pytest -m "acceptance and not long"
	@$(BIN)/pytest -m "chaos and not long"

.PHONY: test
test: lint types pytest ## Everything that must hold before a change is accepted

.PHONY: test-all
test-all: test vault otel-cli ## The same, and the tests that take long
	@$(BIN)/pytest -m long --timeout 3600

# Half of the minutes on SQLite, half on PostgreSQL; the seed that is printed makes the same trouble once more.
MINUTES := 10
.PHONY: chaos
chaos: $(VENV)/.installed-dev ## Kill workers and servers at random while runs go through, for MINUTES=10
	@$(PY) -m tests.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

# A world of workers, faults and people under each seed, and a count of what they met; a seed is one world for ever.
SEEDS := 100000
.PHONY: simulate
simulate: $(VENV)/.installed-dev ## Simulate SEEDS=100000 worlds and tell what they exercised, or one: SEED=7
	@$(PY) -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

.PHONY: mutants
mutants: $(VENV)/.installed-dev ## Plant bugs in copies of the source: the simulation must find each
	@$(PY) -m tests.mutants

# The S3 server of the tests: plain files behind the whole protocol, built once per machine (some minutes).
.PHONY: versitygw
versitygw:
	@if [ -x $(VERSITYGW) ]; then exit 0; fi; \
	if command -v go >/dev/null; then \
	    echo "Building versitygw $(VERSITYGW_VERSION), once; this takes some minutes." >&2; \
	    mkdir -p $(CACHE)/bin; \
	    GOBIN=$(CACHE)/bin go install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW_VERSION); \
	elif [ -n "$${CI:-}" ]; then echo "Go is needed here to build versitygw, the S3 server of the tests." >&2; exit 1; \
	else echo "No Go on this machine: the S3 tests run against moto's server instead of versitygw." >&2; fi

# The jars of the lakehouse's servers, each compared with its sum: fetched once per machine (some minutes).
.PHONY: jars
jars: $(VENV)/.installed-dev
	@if command -v mvn >/dev/null || [ -n "$${CI:-}" ]; then $(PY) -m projects.lakehouse.services fetch; \
	else echo "No Maven on this machine: where its jars are not here, the tests of the lakehouse are skipped." >&2; fi

# A collector of traces that was not written for us; for `make test-all`.
OTELCLI := $(CACHE)/bin/otel-cli
OTELCLI_VERSION := v0.4.5
.PHONY: otel-cli
otel-cli:
	@if [ -x $(OTELCLI) ]; then exit 0; fi; \
	if command -v go >/dev/null; then \
	    echo "Building otel-cli $(OTELCLI_VERSION), once; this takes some minutes." >&2; \
	    mkdir -p $(CACHE)/bin; place=$$(mktemp -d); trap 'rm -rf "$$place"' EXIT; cd "$$place"; \
	    printf 'module build\n\ngo 1.21\n\nrequire github.com/equinix-labs/otel-cli $(OTELCLI_VERSION)\n' > go.mod; \
	    printf '//go:build tools\n\npackage build\n\nimport _ "github.com/equinix-labs/otel-cli"\n' > tools.go; \
	    GOFLAGS=-mod=mod go build -o $(OTELCLI) github.com/equinix-labs/otel-cli; \
	elif [ -n "$${CI:-}" ]; then echo "Go is needed here to build otel-cli, the collector of the tests." >&2; exit 1; \
	else echo "No Go on this machine: traces are not sent to a collector of others." >&2; fi

# The engine that flows were first written for; needs a JDK 25 and maven, and fetches its jars once (some minutes).
.PHONY: oracle
oracle: $(VENV)/.installed-dev ## Ask the real engine about our cases, keep its answers, print where ours differ
	@$(PY) -m tools.oracle tables
	@$(PY) -m tools.oracle flows

# Languages of scripts, as far as they are light: Debian's packages, where nobody needs to be asked.
INTERPRETERS := lua5.4=lua5.4 node=nodejs perl=perl php=php-cli ruby=ruby
.PHONY: interpreters
interpreters:
	@missing=""; for pair in $(INTERPRETERS); do \
	    command -v "$${pair%%=*}" >/dev/null || missing="$$missing $${pair#*=}"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ -n "$${CI:-}$(filter interpreters,$(MAKECMDGOALS))" ]; then \
	    echo "Installing$$missing, once." >&2; \
	    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $$missing >/dev/null; \
	else echo "Not on this machine, so their tests are passed over:$$missing (make interpreters, as root)" >&2; fi

# dbt in a Python of its own, made once per machine: it and the tests' own packages would not fit together.
.PHONY: dbt
dbt: $(CACHE)/dbt-1.11/.installed
$(CACHE)/dbt-1.11/.installed: requirements/dbt.txt | $(VENV)/.installed-dev
	@echo "Installing dbt for the tests, once." >&2; mkdir -p $(CACHE)
	@$(UV) venv --quiet --clear --python $(PY) $(CACHE)/dbt-1.11
	@$(UV) pip install --quiet --python $(CACHE)/dbt-1.11/bin/python --require-hashes -r $<
	@touch $@

# The OpenID provider of the tests, run on a free port; nothing of it is started here.
OIDC := $(CACHE)/oidc-provider-8.8.1
.PHONY: oidc
oidc:
	@if [ -e $(OIDC)/.installed ]; then exit 0; fi; \
	if command -v npm >/dev/null; then \
	    echo "Installing the OpenID provider of the tests, once." >&2; \
	    mkdir -p $(OIDC) && cp tests/oidc/package.json tests/oidc/package-lock.json $(OIDC) && \
	    npm ci --prefix $(OIDC) --no-audit --no-fund --loglevel=error >/dev/null && touch $(OIDC)/.installed; \
	elif [ -n "$${CI:-}" ]; then echo "npm is needed here, for the OpenID provider of the tests." >&2; exit 1; \
	else echo "No npm on this machine: the tests of logins by a provider are skipped." >&2; fi

# The Vault of the tests: HashiCorp's own core with the parts that are asked for, built once per machine (some minutes of
# all processors).
VAULT := $(CACHE)/vault-1.21.4
.PHONY: vault
vault:
	@if [ -x $(VAULT)/vault ]; then exit 0; fi; \
	if command -v go >/dev/null; then \
	    echo "Building the Vault of the tests, once; this takes some minutes." >&2; \
	    mkdir -p $(VAULT)/source && cp tests/vault/main.go tests/vault/go.mod $(VAULT)/source && \
	    cd $(VAULT)/source && GOFLAGS=-mod=mod go build -o ../vault . ; \
	elif [ -n "$${CI:-}" ]; then echo "Go is needed here to build the Vault of the tests." >&2; exit 1; \
	else echo "No Go on this machine: the tests of a real Vault are skipped." >&2; fi

# The SSH server of the tests, run for one user on a free port; nothing of it is started here.
.PHONY: sshd
sshd:
	@if PATH="$$PATH:/usr/sbin" command -v sshd >/dev/null; then exit 0; fi; \
	if [ -n "$${CI:-}" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing openssh-server, once." >&2; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssh-server >/dev/null; \
	elif [ -n "$${CI:-}" ]; then echo "sshd is needed here: apt-get install openssh-server" >&2; exit 1; \
	else echo "No sshd on this machine: the tests of SFTP and SSH are skipped (apt-get install openssh-server)." >&2; fi

# What reads the units of `penstock service`; nothing is started by it.
.PHONY: units
units:
	@if command -v systemd-analyze >/dev/null; then exit 0; fi; \
	if [ -n "$${CI:-}" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing systemd's tools, once." >&2; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd >/dev/null; \
	elif [ -n "$${CI:-}" ]; then echo "systemd-analyze is needed here: apt-get install systemd" >&2; exit 1; \
	else echo "No systemd-analyze on this machine: it does not look at the units (apt-get install systemd)." >&2; fi

# Databases and brokers of the tests, each run on a free port; nothing of them is started here.
BROKERS := mariadbd=mariadb-server-core mosquitto=mosquitto pgbouncer=pgbouncer rabbitmq-server=rabbitmq-server redis-server=redis-server
.PHONY: brokers
brokers:
	@missing=""; for pair in $(BROKERS); do \
	    PATH="$$PATH:/usr/sbin" command -v "$${pair%%=*}" >/dev/null || missing="$$missing $${pair#*=}"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ -n "$${CI:-}$(filter brokers,$(MAKECMDGOALS))" ]; then \
	    echo "Installing$$missing, once." >&2; \
	    apt-get -qq update && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $$missing >/dev/null; \
	else echo "Not on this machine, so their tests are passed over:$$missing (make brokers, as root)" >&2; fi

# A container engine and the image of its tests: Debian's packages, and one made of them, once per machine (a minute).
ENGINE := podman runc conmon netavark aardvark-dns iptables mmdebstrap
.PHONY: containers
containers: $(VENV)/.installed-dev
	@if $(PY) -m tools.podman --look; then exit 0; fi; \
	for program in podman runc conmon mmdebstrap; do command -v $$program >/dev/null || missing="$${missing:-} $$program"; done; \
	if [ -z "$${CI:-}$(filter containers,$(MAKECMDGOALS))" ]; then \
	    echo "No containers on this machine, so their tests are passed over (make containers, as root)" >&2; \
	elif [ "$$(id -u)" = 0 ] && { [ -z "$${missing:-}" ] || command -v apt-get >/dev/null; }; then \
	    if [ -n "$${missing:-}" ]; then \
	        echo "Installing podman, once." >&2; \
	        apt-get -qq update; \
	        DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $(ENGINE) >/dev/null; \
	    fi; \
	    $(PY) -m tools.podman; \
	else echo "Containers are needed here; missing:$${missing:- the image}. As root: apt-get install $(ENGINE)" >&2; exit 1; fi

.PHONY: bench
bench: $(VENV)/.installed-dev ## Measure, and write the table of bench/README.md
	@$(PY) -m bench all --write

# The slope of each is printed; work that is under way must leave no row behind.
HOURS := 1
.PHONY: soak
soak: $(VENV)/.installed-dev ## Let runs go through for HOURS=1, and tell what grows: memory, open files, tables
	@$(PY) -m bench.soak --hours $(HOURS)

.PHONY: clean
clean: ## Remove .venv and everything the tools left
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
