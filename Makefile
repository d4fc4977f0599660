PYTHON ?= python3
BIN = .venv/bin
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

.PHONY: tour test test-all lint bench docs

tour: .venv/installed  ## the lecture's twelve rows retold by running them: tour.html
	$(BIN)/convsight tour --out tour.html

test: .venv/installed lint  ## everything fast
	$(PYTEST)

test-all: .venv/installed lint  ## everything
	$(PYTEST) -m "slow or not slow"

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv-bench/installed  ## side by side with peers and plain loops: benchmarks/*.md
	.venv-bench/bin/python benchmarks/visualize.py --out benchmarks/results.md
	.venv-bench/bin/python benchmarks/dream.py --out benchmarks/dream.md
	.venv-bench/bin/python benchmarks/style.py --out benchmarks/style.md
	@echo "of Go, with two collections of games: benchmarks/go.py GAMES OTHERS, benchmarks/go_learning.py GAMES OTHERS"
	@echo "of text, with a set of texts: benchmarks/text.py TEXTS, benchmarks/text_axes.py TEXTS, convsight text benchmark SETS"

docs: .venv/installed-docs  ## site/, the tour in it
	$(BIN)/convsight tour --out docs/tour.html
	$(BIN)/mkdocs build --strict

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip  # from 25.1 on it goes on with a broken download
	$(BIN)/pip install --quiet -e '.[dev]'
	touch $@

.venv/installed-docs: .venv/installed
	$(BIN)/pip install --quiet -e '.[docs]'
	touch $@

.venv-bench/installed: pyproject.toml benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet -e '.[digits,go,text]' -r benchmarks/requirements.txt
	touch $@
