# `make demo` and `make test` do all the set-up they need; both build .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint audit clean train train-small

demo: $(VENV)/.demo
	$(BIN)/python app.py

# In two processes, each with files of its own: many tests wait, for a browser or for other processes.
test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.test
	$(BIN)/ruff check .

# Known security holes in the installed packages; asks PyPI.
audit: $(VENV)/.test
	$(BIN)/pip-audit --progress-spinner off

# make train: pictures, all training stages, weights and their errors, on one GPU with 16 cores in about 25
# minutes (hmnet/recipe.py says how the time is shared out). `make train-small` runs the very same sequence
# with tiny counts, in about 3 minutes without a GPU. Both go on where they were stopped. All may be set:
#   DATA RUNS OUTPUT           folders for the pictures, for states and logs, for the finished weights
#   BACKGROUNDS POSES CLOTHES  folders of photographs without people, of motion clips (several), of garments
#   WORKERS DEVICE SEED        CPU cores; cuda, cpu, ...; equal seeds give equal pictures
#   GENERATE_COUNT TEST_COUNT SEGMENTER_IMAGES MAPS_IMAGES JOINT_IMAGES  instead of the plan's
train train-small: RECIPE = $(BIN)/python -m hmnet.recipe \
  --revision $(or $(shell git rev-parse --short HEAD 2>/dev/null),unversioned) \
  $(if $(BACKGROUNDS),--backgrounds $(BACKGROUNDS)) $(if $(POSES),--poses $(POSES)) \
  $(if $(CLOTHES),--clothes $(CLOTHES)) $(if $(WORKERS),--workers $(WORKERS)) \
  $(if $(DEVICE),--device $(DEVICE)) $(if $(SEED),--seed $(SEED)) \
  $(if $(GENERATE_COUNT),--pictures $(GENERATE_COUNT)) $(if $(TEST_COUNT),--test-pictures $(TEST_COUNT)) \
  $(if $(SEGMENTER_IMAGES),--segmenter $(SEGMENTER_IMAGES)) \
  $(if $(MAPS_IMAGES),--maps $(MAPS_IMAGES)) $(if $(JOINT_IMAGES),--joint $(JOINT_IMAGES))

train: $(VENV)/.test
	$(RECIPE) --plan gpu --data $(or $(DATA),data) --runs $(or $(RUNS),runs) --output $(or $(OUTPUT),out/weights)

train-small: $(VENV)/.test
	$(RECIPE) --plan small --data $(or $(DATA),data/small) --runs $(or $(RUNS),runs/small) \
	  --output $(or $(OUTPUT),out/small)

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or newer is needed: set PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/.test: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@ $(VENV)/.demo
