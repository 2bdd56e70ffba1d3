# Two commands on a machine that has only Python and make: `make demo`, `make test`.
# Every target sets up what it needs by itself and takes ARGS=… for the program behind it.

VENV ?= .venv
BIN := $(VENV)/bin
MANAGE = PYTHONPATH='$(CURDIR)' DJANGO_SETTINGS_MODULE=demo_site.settings.test $(abspath $(BIN))/python -m django
PYTHON ?=
ARGS ?=
MAILS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo smoke test promises browser mailcheck bench chaos lint messages

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.dev ## Create the virtual environment with all that development needs

demo: $(VENV)/.demo ## Start the Quick Publisher: site, workers, beat, broker and a mailbox
	@exec $(BIN)/python -m demo_site.supervisor $(ARGS)

smoke: $(VENV)/.demo ## Prove the main job without a screen; MAILS=FILE keeps the mails
	@exec $(BIN)/python -m demo_site.smoke $(if $(MAILS),--mails '$(MAILS)') $(ARGS)

test: $(VENV)/.dev ## Run the tests, with PostgreSQL, Redis and Chromium where there are any
	@exec $(BIN)/python -m tests.support.run $(ARGS)

promises: $(VENV)/.dev ## Run the long tests: what is promised about delivery, with real processes
	@exec $(BIN)/python -m tests.support.run -m long -n0 $(ARGS)

browser: $(VENV)/.dev ## Run the journeys in Chromium
	@LIFECYCLE_TEST_REQUIRE=chromium exec $(BIN)/python -m pytest tests/browser $(ARGS)

mailcheck: $(VENV)/.dev .mailcheck/.installed ## Have every starter judged (Debian: spamassassin, nodejs, npm and chromium)
	@exec $(BIN)/python -m pytest tests/mailcheck -m mailcheck $(ARGS)

bench: $(VENV)/.bench ## Measure sending beside the usual ways (ARGS=--quick: under a minute; needs PostgreSQL and Redis)
	@exec $(BIN)/python -m benchmarks $(ARGS)

chaos: $(VENV)/.dev ## Kill everything while mails are sent (ARGS=--quick: a minute or two; --rounds N --seed S --resume)
	@exec $(BIN)/python -m tests.chaos $(ARGS)

lint: $(VENV)/.dev ## Check style, types, templates, import contracts and missing migrations (ARGS=--fix mends style)
	$(BIN)/ruff check $(ARGS)
	$(BIN)/ruff format --check
	$(BIN)/djlint . --lint --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run --settings demo_site.settings.test

messages: $(VENV)/.dev ## Collect the strings to translate and compile the translations (needs Debian's gettext)
	cd wagtail_lifecycle && $(MANAGE) makemessages -l de -l ar -e py,html,txt,mjml --add-location file --no-obsolete --no-wrap
	cd wagtail_lifecycle && $(MANAGE) compilemessages

# -- The virtual environment: made once, brought up to date when pyproject.toml changes ----------------------

# Sets $$python to a Python that fits: the one asked for, else python3, else the newest of 3.11 to 3.13.
define find_python
fits() { "$$1" -c 'import sys, venv, ensurepip; sys.exit(not $(1))' >/dev/null 2>&1; }; \
python=; \
for name in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
  if fits $$name; then python=$$name; break; fi; \
done; \
if [ -z "$$python" ]; then \
  echo "No Python that fits was found (tried: $(or $(PYTHON),python3 python3.13 python3.12 python3.11))." >&2; \
  echo "It must be 3.11 or newer and able to make virtual environments (Debian: apt-get install python3 python3-venv)." >&2; \
  echo "If it has another name: make $(MAKECMDGOALS) PYTHON=/path/to/python" >&2; \
  exit 1; \
fi
endef

# $(call install,EXTRA)
define install
@set -e; \
if [ ! -x $(BIN)/pip ]; then \
  $(call find_python,(sys.version_info >= (3$(comma)11))); \
  "$$python" -m venv $(VENV); \
fi; \
echo "Setting up $(VENV) ($(1)); this takes a minute or two the first time …"; \
$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --editable '.[$(1)]'
endef
comma := ,

$(VENV)/.demo: pyproject.toml
	$(call install,demo)
	@touch $@

# What development needs includes what the demo needs.
$(VENV)/.dev: pyproject.toml
	$(call install,dev)
	@touch $(VENV)/.demo $@

# The reference renderer of MJML, and the checker of accessibility: only `make mailcheck` needs them.
.mailcheck/.installed:
	npm install --prefix .mailcheck --no-save --no-package-lock --no-audit --no-fund --silent mjml@4.18 axe-core@4.14
	@touch $@

$(VENV)/.bench: pyproject.toml
	$(call install,bench)
	@touch $(VENV)/.demo $(VENV)/.dev $@
