# The Promela models are built and run by tests/models/test_models.py, below $(BUILD)/tests/models.
models:
	/usr/bin/python3 -m pytest -q tests/models

.PHONY: models
