# dcbook: every verb makes the environment in .venv when it is missing or stale. `make` alone prints the verbs.
PYTHON ?= python3
SCALE ?= quick
export OMP_NUM_THREADS ?= 1
export OMP_WAIT_POLICY ?= PASSIVE
export CUBLAS_WORKSPACE_CONFIG ?= :4096:8
unexport PYTHONPATH PYTHONDONTWRITEBYTECODE

# The environment is ready when it holds the stamp of exactly these pins, this Python and this folder.
KEY := $(shell { sed '/^\[tool\./,$$d' pyproject.toml; pwd; $(PYTHON) -c 'import sys; print(sys.version, sys.base_prefix)'; } 2>/dev/null | cksum | tr -d ' ')
READY := .venv/ready-$(KEY)
READY_BENCH := .venv/ready-bench-$(KEY)
READY_SITE := .venv/ready-site-$(KEY)
READY_BROWSER := .venv/ready-browser-$(KEY)
TORCH := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
PY := .venv/bin/python
INSTALL := $(PY) -m pip --disable-pip-version-check install -qq --no-compile --no-warn-script-location

.PHONY: help env figures notebooks verdicts evidence redraw site test test-site lint lab bench storm data clean

help: ## print this list
	@echo "make VERB, with times on 2 CPU cores:"
	@sed -n 's/^\([a-z-]*\):.*## *\(.*\)/\1\t\2/p' Makefile | awk -F"\t" '{ printf "  %-10s %s\n", $$1, $$2 }'

env: $(READY) ## make .venv and install the pinned packages (2 min; the other verbs do it when needed)

figures: $(READY) ## run the first notebooks, write pictures and tables (4 min; with CHAPTER=all all of them, 6 min) [SCALE=, CHAPTER=, NOTEBOOK=, BUDGET=]
	@$(PY) -m dcbook.book --scale '$(SCALE)' $(if $(CHAPTER),--chapter '$(CHAPTER)') $(if $(NOTEBOOK),--notebook '$(NOTEBOOK)') $(if $(BUDGET),--budget '$(BUDGET)')

notebooks: $(READY) ## run notebooks at the quick scale and store their outputs in notebooks/ (6 min)
	@$(PY) -m dcbook.book --store $(if $(CHAPTER),--chapter '$(CHAPTER)') $(if $(NOTEBOOK),--notebook '$(NOTEBOOK)')

verdicts: $(READY) ## write each chapter's verdicts from its committed records (3 s)
	@$(PY) -m dcbook.book --verdicts

evidence: $(READY) ## make the long runs that decide most, in order; stopped, it goes on where it was (as long as you give it; weeks in all) [HOURS=, JOBS=]
	@nice $(PY) -m dcbook.book.evidence $(if $(HOURS),--hours '$(HOURS)') $(if $(JOBS),--jobs '$(JOBS)')

redraw: $(READY) ## draw the committed figures and tables again from their records, name those that differ (5 min) [CHAPTER=, NOTEBOOK=]
	@$(PY) -m dcbook.book --redraw $(if $(CHAPTER),--chapter '$(CHAPTER)') $(if $(NOTEBOOK),--notebook '$(NOTEBOOK)')

site-env: $(READY_SITE) # for .ci/run, which then builds the site while it tests

site: $(READY_SITE) ## build the web site from stored outputs, build/site/index.html (1 min) [REPOSITORY=]
	@$(PY) -m dcbook.book.site $(if $(REPOSITORY),--repository '$(REPOSITORY)')

test: lint ## lint, unit tests, and each notebook run again with its checked outputs compared (4 to 10 min)
	@$(PY) -m pytest -n logical --dist loadfile --durations 10
	@echo "Running each notebook again, from no records, and comparing its checked outputs"
	@output=$$(mktemp -d) && trap 'rm -rf "$$output"' EXIT && LOKY_MAX_CPU_COUNT=1 DCBOOK_OUTPUT="$$output" \
		$(PY) -m pytest -n logical -p tests.nbval_plugin --dist loadfile \
		--nbval-lax --nbval-current-env --nbval-cell-timeout=900 notebooks

test-site: $(READY_BROWSER) site ## build the site and test it: links, both builds alike, each page in the system's Chromium (9 min)
	@DCBOOK_SITE=build/site $(PY) -m pytest --disable-warnings tests/site

lint: $(READY) ## check rules and layout with ruff, directions between rooms with import-linter (3 s)
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet . || { echo "layout differs: run $(PY) -m ruff format" >&2; exit 1; }
	@mkdir -p build
	@.venv/bin/lint-imports --cache-dir build/.import-linter > build/.import-linter.txt 2>&1 || { cat build/.import-linter.txt; exit 1; }

lab: $(READY) ## open the notebooks in JupyterLab (5 s)
	@$(PY) -m jupyterlab notebooks

bench: $(READY_BENCH) ## measure speed beside ClustPy, scikit-learn and faiss (30 min)
	@$(PY) -m tests.bench

storm: $(READY) ## kill sweeps, fill a disk, damage files of every kind: is anything lost, or wrong without a word? (2 min)
	@$(PY) -m tests.storm

data: $(READY) ## fetch one data set: make data NAME=usps (as long as the download)
	@test -n '$(NAME)' || { echo "Which one? For example: make data NAME=usps" >&2; exit 2; }
	@$(PY) -m dcbook.data '$(NAME)'

clean: ## remove .venv, build and figures/quick; committed figures stay (2 s)
	@rm -rf .venv build figures/quick .pytest_cache .ruff_cache .hypothesis *.egg-info

# torch goes first and alone: pip then takes the CPU wheel that it may have been pointed to, not several GB of CUDA.
# Bytecode is compiled at the end by all cores, not by pip with one: half a minute less.
$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "dcbook needs Python 3.11 or newer, and '$(PYTHON)' isn't. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || \
		{ echo "'$(PYTHON)' lacks venv. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Making .venv, once (about 2 minutes from a warm package cache): 1/2 torch"
	@$(PYTHON) -m venv --clear .venv
	@$(INSTALL) '$(TORCH)'
	@echo "Making .venv: 2/2 the other pinned packages and dcbook"
	@$(INSTALL) --editable '.[book,test]'
	@$(PY) -m compileall -qq -j 0 -x /tests/ .venv/lib || true
	@touch $@

$(READY_BENCH): | $(READY)
	@echo "Adding the libraries that the benchmarks compare with"
	@$(INSTALL) --editable '.[book,test,bench]'
	@touch $@

$(READY_SITE): | $(READY)
	@echo "Adding Sphinx and what builds the site"
	@$(INSTALL) --editable '.[book,test,site]'
	@touch $@

$(READY_BROWSER): | $(READY_SITE)
	@echo "Adding Playwright, which drives the system's Chromium"
	@$(INSTALL) --editable '.[book,test,site,browser]'
	@touch $@
