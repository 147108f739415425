"""Print as JSON the seconds to evaluate and predict the test split with a run's model: `python evaluate_run.py RUN`."""

import json
import sys
import time

from dltrain.engine import restored
from dltrain.engine.evaluation import evaluate_model
from dltrain.engine.inputs import load_data, pipeline_of

with restored(sys.argv[1]) as trained:
    spec = trained.opened.plan.spec
    dataset = load_data(spec)
    started = time.perf_counter()
    inputs = pipeline_of(dataset, "test", trained.built.encoding, spec, trained.session.backend)
    evaluate_model(dataset, trained.built, trained.session, inputs, trained.opened.run, "test")
    print(json.dumps({"inference": time.perf_counter() - started}))
