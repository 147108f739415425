"""Seconds in which a run's model evaluates and predicts the test split, as JSON: `python evaluate_run.py RUN`."""

import json
import sys
import time

from dltrain.engine import restored
from dltrain.engine.evaluation import evaluate_model
from dltrain.engine.inputs import load_data

trained = restored(sys.argv[1])
spec = trained.opened.plan.spec
dataset = load_data(spec)
started = time.perf_counter()
evaluate_model(spec, dataset, trained.built, trained.session, trained.opened.run, "test")
print(json.dumps({"inference": time.perf_counter() - started}))
