"""Keys that other frameworks have for a training, and what each is called here, or that it is not there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.elsewhere.arguments import known, twice
from dltrain.config.catalogue.elsewhere.schedules import SCHEDULES, inverse_time
from dltrain.config.catalogue.elsewhere.words import OPEN, Around, Word, folded, number, plain
from dltrain.config.catalogue.kinds import plain_kind
from dltrain.config.document.writer import flow
from dltrain.errors import Fix

# What to write for a key: always the same, or by its value and the rest of the config.
Answer = Fix | str | Callable[[Any, Around], Fix | str]


def _moved(path: str, words: str = "") -> Answer:
    """Return the fix for what belongs at the key `path`; without `words`, a count is carried over."""
    section, _, key = path.rpartition(".")
    place = f"in `{section}`" if section else "at the top level"
    if words:
        return Fix("move", tuple(path.split(".")), words)

    def answer(value: Any, around: Around) -> Fix:
        count = isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**32
        written = f"{key}: {value}" if count else key
        return Fix("move", tuple(path.split(".")), f"write `{written}` {place}")

    return answer


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _converted(path: str, convert: Callable[[Any], Any], example: Any) -> Answer:
    """Return the fix for what belongs at `path` in another unit."""
    section, _, key = path.rpartition(".")

    def answer(value: Any, around: Around) -> Fix:
        found = convert(value)
        words = f"write `{key}: {flow(found if found is not None else example)}` in `{section}`"
        return Fix("move", tuple(path.split(".")), words)

    return answer


def _of_optimizer(key: str, default: Any, optimizer: str = "Adam") -> Answer:
    """Return the fix for what is an argument of the optimizer here, the optimizer written out with it.

    Args:
        key: the argument.
        default: its value where the one written does not fit.
        optimizer: the one to write where the config's does not have it.
    """

    def answer(value: Any, around: Around) -> Fix:
        entry = entries.find("optimizer", around.optimizer)
        whole = around
        if entry is None or key not in entry.arguments:
            entry = entries.find("optimizer", optimizer)
            whole = replace(around, optimizer=optimizer, settings={})
        fits = entry is not None and plain_kind(entry.arguments[key], value) is not None
        text = with_optimizer(whole, key, value if fits else default)
        words = f"write it as the optimizer's: `{text}`{_instead(whole, key, value if fits else default)}"
        return Fix("move", ("train", "optimizer"), words)

    return answer


def with_optimizer(around: Around, key: str, value: Any) -> str:
    """Return the config's optimizer with one more argument, as a config has it."""
    settings = {name: item for name, item in around.settings.items() if name != key}
    text = f"optimizer: {flow({around.optimizer: {**settings, key: value}})}"
    return text.replace(flow(OPEN), OPEN)


def _instead(around: Around, key: str, value: Any) -> str:
    """Return what is lost of the config's optimizer where one of its arguments gets another value; mostly nothing."""
    if twice(around.settings, {key: value}) is None:
        return ""
    return f", instead of its `{key}: {flow(around.settings[key])}`"


def with_schedule(around: Around, text: str) -> str:
    """Return the config's optimizer with a schedule, given as text, for its rate."""
    return with_optimizer(around, "learning_rate", _MARK).replace(flow(_MARK), f"{{{text}}}")


_MARK = "schedule"


def schedule(value: Any, around: Around) -> Fix | str:
    """Return the optimizer with a schedule that another framework writes beside it; rates by epoch are a key here."""
    if (rates := _by_epoch(value)) is not None:
        return Fix("move", ("train", "schedule"), f"write `schedule: {flow(rates)}` in `train`")
    name, given = _named(value)
    word = SCHEDULES.get(folded(name)) if name is not None else None
    if isinstance(word, str):
        return word
    found: Any = [{"CosineDecay": {"initial_learning_rate": around.rate, "decay_steps": around.whole_run()}}]
    if isinstance(word, Word) and word.make is not None:
        found = word.make(given, around)
        if isinstance(found, str):
            return found
    elif isinstance(word, Word):
        found = [{word.name: {"initial_learning_rate": around.rate, **given}}] if given else found
    (made,) = found
    text = with_optimizer(around, "learning_rate", made)
    lost = _instead(around, "learning_rate", made) if isinstance(around.settings.get("learning_rate"), Mapping) else ""
    return Fix("move", ("train", "optimizer"), f"write it as the rate: `{text}`{lost}")


def _by_epoch(value: Any) -> dict[int, Any] | None:
    """Return `{1: 0.1, 10: 0.01}` where a value is such a mapping."""
    if not isinstance(value, Mapping) or not value:
        return None
    if not all(re.fullmatch("[1-9][0-9]{0,8}", str(key)) and (number(rate) or 0) > 0 for key, rate in value.items()):
        return None
    return {int(key): rate for key, rate in value.items()}


def _named(value: Any) -> tuple[str | None, Mapping[str, Any]]:
    """Return the name and arguments of `StepLR`, `{StepLR: {…}}`, `{type: StepLR, …}` or Ludwig's `{decay: cosine}`."""
    if isinstance(value, str):
        return value, {}
    if not isinstance(value, Mapping):
        return None, {}
    for key in ("name", "type", "class_name", "decay", "kind", "scheduler", "class"):
        if isinstance(value.get(key), str):
            rest = {name: item for name, item in value.items() if name != key}
            nested = next((item for item in rest.values() if isinstance(item, Mapping)), rest)
            return value[key], nested
    if len(value) == 1:
        ((name, given),) = value.items()
        return name, given if isinstance(given, Mapping) else {}
    return None, value


def _decay(value: Any, around: Around) -> Fix | str:
    decay = number(value)
    found = inverse_time(around.rate, decay if decay else 1e-6)[0]
    text = with_optimizer(around, "learning_rate", found)
    return Fix("move", ("train", "optimizer"), f"write it as the rate: `{text}`")


def _patience(value: Any, around: Around) -> Fix:
    count = value.get("patience") if isinstance(value, Mapping) else value
    given = count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else None
    patience, reason = given or 3, ""
    if around.epochs is not None and 1 < around.epochs <= patience:
        patience = around.epochs - 1
        reason = f"; a patience of {given} never ends a run of {around.epochs} epochs" if given is not None else ""
    arguments = {"patience": patience, **_of_stopping(value)}
    written = f"callbacks: [EarlyStopping: {flow(arguments)}]"
    return Fix("move", ("train", "callbacks"), f"write `{written}` in `train`{reason}")


def _of_stopping(value: Any) -> dict[str, Any]:
    """Return the other arguments of `EarlyStopping` in a value that another framework has for it."""
    entry = entries.find("callback", "EarlyStopping")
    if entry is None or not isinstance(value, Mapping):
        return {}
    found = known(entry, value)
    return {key: item for key, item in found.items() if key != "patience" and plain_kind(entry.arguments[key], item)}


def _warmup(word: str) -> Answer:
    """Return the schedule for a warm-up that is written as a number of steps or epochs, or as a share of the run."""

    def answer(value: Any, around: Around) -> Fix | str:
        found = number(value)
        given = {word: found} if found is not None and found > 0 else {}
        if word == "warmup_steps" and found is not None and 0 < found < 1:
            given = {"warmup_ratio": found}
        return schedule({"WarmUp": value if isinstance(value, Mapping) else given}, around)

    return answer


def _layer(text: str) -> str:
    return f"it is a layer: `- {text}`"


def _dropout(value: Any, around: Around) -> str:
    share = value if (rate := number(value)) is not None and 0 < rate < 1 else 0.5
    return _layer(f"Dropout: {{rate: {flow(share)}}}")


def _units(value: Any, around: Around) -> str:
    """Return the layers for scikit-learn's `hidden_layer_sizes`."""
    sizes = value if isinstance(value, list) else [value]
    if not sizes or not all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes):
        sizes = [64]
    return "write layers: " + ", ".join(f"`- Dense: {{units: {size}, activation: relu}}`" for size in sizes[:4])


def _ridge(value: Any, around: Around) -> str:
    share = value if (number(value) or 0) > 0 else 0.0001
    return f"it belongs to a layer: `- Dense: {{units: 64, kernel_regularizer: {{L2: {{l2: {flow(share)}}}}}}}`"


def _share(value: Any) -> float | None:
    """Return a share, of a share, a percentage or shares of several splits."""
    found = number(value[0] if isinstance(value, list) and value else value)
    if found is None or found <= 0:
        return None
    if isinstance(value, list) and found > 0.5:
        found = number(value[1] if len(value) > 1 else None) or 0.1
    return plain(found / 100 if found >= 1 and found < 100 else found) if 0 < found < 100 else None


def _precision(value: Any) -> str | None:
    return PRECISIONS.get(str(value).lower(), "mixed_bfloat16" if value is True else None)


def _training_limit(value: Any, around: Around) -> Fix:
    samples = value if isinstance(value, int) and not isinstance(value, bool) and value > 1 else 1000
    return Fix("move", ("data", "limit", "train"), f"`data.limit` takes fewer samples: `limit: {{train: {samples}}}`")


def _test_split(value: Any, around: Around) -> Fix | str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 1:
        words = f"the data set has its test split; write `limit: {{test: {value}}}` in `data` for so many of it"
        return Fix("move", ("data", "limit", "test"), words)
    return "remove it: the data set has its test split; where it has none, `data.test` is the share to hold out"


# Values of `train.precision` elsewhere.
PRECISIONS = {
    **dict.fromkeys(("16", "16-mixed", "16-true", "fp16", "half", "amp", "float16", "mixed"), "mixed_float16"),
    **dict.fromkeys(("bf16", "bf16-mixed", "bf16-true", "bfloat16"), "mixed_bfloat16"),
    **dict.fromkeys(("32", "32-true", "fp32", "full", "float", "single"), "float32"),
}


def _shuffled(value: Any, around: Around) -> Fix | str:
    """Return where the order of the training samples is said; without a word they are shuffled."""
    if value is False:
        return Fix("move", ("train", "shuffle"), "write `shuffle: false` in `train`")
    return "remove it: training samples are shuffled, by the seed"


_NO_WEIGHTS = (
    "a table has them in a column, arrays in one of their own: `sample_weight`; those of a class are "
    "`class_weight: balanced` in `train`"
)
_EACH_EPOCH = "remove it: validation runs after every epoch"
_PIPELINE = "remove it: dltrain feeds the samples itself"
_ONE_MACHINE = "remove it: a run is one process, which uses a GPU where there is one"
_OWN_FILES = "remove it: every run has its directory, with journal, metrics.csv and TensorBoard events"
_OWN_CHECKPOINTS = "remove it: every epoch has its checkpoint"
_SMOKE = "it is no part of a config: `dltrain fit --smoke` tries one epoch on few samples"
_RESUME = "it is no part of a config: `dltrain resume` goes on with a run"
_GRAPH = "remove it: dltrain compiles the training itself"
_PROGRESS = "remove it: `fit` shows progress, and `-v` everything"
_DATA_SHAPE = "remove it: the data set gives the input's shape"
_WHOLE_EPOCHS = "remove it: an epoch goes through all training samples; `data.limit` takes fewer"
_ITS_METRIC = _moved("train.checkpoint.monitor", "write `checkpoint: {monitor: val_loss}` in `train`")
AUGMENTATIONS = (
    *("augmentation", "augment", "dataaugmentation", "augmentations", "transform", "transforms"),
    *("imagedatagenerator", "augmentationpipeline"),
)
_AUGMENT = _moved("data.augment", "write `augment: [RandomFlip: {mode: horizontal}]` in `data`")
_CLIP_NORM = _of_optimizer("global_clipnorm", 1.0)
_STOPPING = _patience
_NO_SEARCH = "there is no search in a config: run `fit` with `-s` for each value"
_HOLD_OUT = _converted("data.validation", _share, 0.1)
_HELD_OUT = "validation is a share of the training samples: write `validation: 0.1` in `data`"

# By the key without case and underscores, in whatever section it is looked for.
KEYS: dict[str, Answer] = {
    # The optimizer's
    **dict.fromkeys(
        ("learningrate", "lr", "baselr", "eta", "eta0", "learningrateinit"), _of_optimizer("learning_rate", 0.001)
    ),
    "momentum": _of_optimizer("momentum", 0.9, "SGD"),
    "weightdecay": _of_optimizer("weight_decay", 0.004, "AdamW"),
    **dict.fromkeys(("decay", "lrdecay", "learningratedecay"), _decay),
    **dict.fromkeys(
        (
            "scheduler",
            "lrscheduler",
            "schedulers",
            "lrschedule",
            "learningratescheduler",
            "learningrateschedule",
            "schedule",
        ),
        schedule,
    ),
    **dict.fromkeys(
        ("gradientclipval", "gradientclipping", "gradclip", "maxgradnorm", "gradientclip", "gradclipnorm"), _CLIP_NORM
    ),
    "clipnorm": _of_optimizer("clipnorm", 1.0),
    "clipvalue": _of_optimizer("clipvalue", 0.5),
    "globalclipnorm": _CLIP_NORM,
    "gradientclipalgorithm": "remove it: `global_clipnorm` of the optimizer clips norms, `clipvalue` values",
    **dict.fromkeys(
        ("accumulategradbatches", "gradientaccumulationsteps", "accumulationsteps", "gradientaccumulation"),
        _of_optimizer("gradient_accumulation_steps", 2),
    ),
    **dict.fromkeys(("ema", "useema", "swa", "stochasticweightavg"), _of_optimizer("use_ema", True)),
    **dict.fromkeys(("warmup", "warmupsteps", "numwarmupsteps"), _warmup("warmup_steps")),
    **dict.fromkeys(("warmupepochs", "numwarmupepochs"), _warmup("warmup_epochs")),
    **dict.fromkeys(("warmupratio", "warmupfraction", "warmupproportion"), _warmup("warmup_ratio")),
    **dict.fromkeys(("beta1", "adambeta1"), _of_optimizer("beta_1", 0.9)),
    **dict.fromkeys(("beta2", "adambeta2"), _of_optimizer("beta_2", 0.999)),
    **dict.fromkeys(("epsilon", "adamepsilon"), _of_optimizer("epsilon", 1e-7)),
    **dict.fromkeys(("nesterov", "nesterovsmomentum"), _of_optimizer("nesterov", True, "SGD")),
    **dict.fromkeys(
        ("powert", "effectivelearningrate"), "write a schedule as the rate: `learning_rate: {CosineDecay: {…}}`"
    ),
    **dict.fromkeys(("autolrfind", "learningratescaling"), "remove it: the rate is the optimizer's `learning_rate`"),
    "solver": _moved("train.optimizer", "write `optimizer: Adam` in `train`"),
    "optim": Fix("rename", ("optimizer",), "write `optimizer`"),
    # Callbacks
    **dict.fromkeys(
        ("earlystopping", "earlystop", "patience", "earlystoppingpatience", "niternochange", "earlystoppingrounds"),
        _STOPPING,
    ),
    **dict.fromkeys(
        ("reduceonplateau", "reducelronplateau", "reduceonplateaupatience", "reduceonplateaurate"),
        _moved("train.callbacks", "write `callbacks: [ReduceLROnPlateau: {factor: 0.5, patience: 2}]` in `train`"),
    ),
    **dict.fromkeys(
        ("tol", "mindelta", "tolerance"),
        ("it belongs to a callback: `callbacks: [EarlyStopping: {patience: 3, min_delta: 0.0001}]`"),
    ),
    "terminateonnan": "remove it: a loss that is not finite ends the run",
    "detectanomaly": "remove it: a loss that is not finite ends the run",
    # Layers
    **dict.fromkeys(("dropout", "dropoutrate"), _dropout),
    "activation": _moved(
        "model.layers.*.activation", "it belongs to a layer: `- Dense: {units: 10, activation: softmax}`"
    ),
    "units": _moved("model.layers.*.units", "it belongs to a layer: `- Dense: {units: 10}`"),
    **dict.fromkeys(("hiddenlayersizes", "hiddenlayers", "hiddensizes", "hiddenunits", "hiddensize"), _units),
    **dict.fromkeys(("batchnorm", "batchnormalization", "usebatchnorm"), _layer("BatchNormalization")),
    **dict.fromkeys(("regularization", "regularizationlambda", "l2", "alpha"), _ridge),
    "regularizationtype": "it belongs to a layer: `- Dense: {units: 64, kernel_regularizer: {L2: {l2: 0.0001}}}`",
    **dict.fromkeys(AUGMENTATIONS, _AUGMENT),
    **dict.fromkeys(
        ("preprocessing", "normalize", "rescale", "standardize"),
        ("images are from 0 to 1 already; other numbers take a layer: `- Normalization: {mean: 0, variance: 1}`"),
    ),
    **dict.fromkeys(
        ("inputshape", "inputdim", "inputsize", "inputfeatures", "inputs", "batchinputshape", "inputchannels"),
        _DATA_SHAPE,
    ),
    **dict.fromkeys(
        ("numclasses", "nclasses", "outputfeatures", "outputs", "outputdim", "outputsize", "classnames"),
        ("remove it: the data set gives the classes, and the last layer's `units` the outputs"),
    ),
    "encoder": "write its layers in `model.layers`",
    "decoder": "write its layers in `model.layers`",
    "combiner": "remove it: a Sequential model has one input",
    "backbone": "pretrained models are not offered: write layers in `model.layers`",
    **dict.fromkeys(
        ("pretrained", "weights", "initweights", "pretrainedweights", "finetunefrom", "loadweights", "warmstart"),
        _moved("train.initial_weights", "write `initial_weights: latest` in `train`, for the weights of a run"),
    ),
    **dict.fromkeys(
        ("frozen", "frozenlayers", "freezelayers", "freezebackbone", "freezeencoder"),
        "it is `freeze` in `train`, which takes names of layers, as `dltrain check -v` shows them",
    ),
    # Data
    **dict.fromkeys(
        (
            "validationsplit",
            "valsplit",
            "validationfraction",
            "validsplit",
            "valsize",
            "validationsize",
            "valfrac",
            "valpercent",
        ),
        _HOLD_OUT,
    ),
    **dict.fromkeys(
        ("trainsplit", "trainsize", "trainfraction"), "write what is held out: `validation: 0.1` in `data`"
    ),
    **dict.fromkeys(("split", "splits", "probabilities", "splitprobabilities"), _HELD_OUT),
    **dict.fromkeys(
        ("validationdata", "valdata", "validationset", "valset", "valdataset", "validdata", "evalset", "devset"),
        f"{_HELD_OUT}; `given` is the validation split of the data set, `test` its test split",
    ),
    **dict.fromkeys(("testsize", "testsplit", "testfraction", "testfrac", "testratio"), _test_split),
    **dict.fromkeys(
        ("testdata", "testset", "evaldata"),
        "remove it: the data set has its test split; where it has none, `data.test` holds one out",
    ),
    **dict.fromkeys(
        ("traindata", "trainset", "trainingdata", "traindataset", "datasetname", "source"),
        _moved("data.dataset", "write `dataset: mnist` in `data`"),
    ),
    **dict.fromkeys(
        ("x", "y", "xtrain", "ytrain", "xtest", "ytest", "xval", "yval", "features", "labels", "target", "targets"),
        ("remove it: the data set gives samples and targets; your own come from the data set `arrays`"),
    ),
    **dict.fromkeys(
        ("path", "datadir", "dataroot", "root", "datapath", "filepath", "csv", "filename"),
        "remove it: a file or folder is the argument `path` of the data sets `arrays` and `image_folder`",
    ),
    **dict.fromkeys(
        ("limittrainbatches", "overfitbatches", "maxsamples", "numsamples", "subset", "samplesize", "trainsamples"),
        _training_limit,
    ),
    **dict.fromkeys(
        ("limittestbatches", "testsamples"),
        _moved("data.limit.test", "`data.limit` takes fewer samples: `limit: {test: 1000}`"),
    ),
    **dict.fromkeys(
        ("limitvalbatches", "limitpredictbatches"), "remove it: `validation` in `data` is the share that is held out"
    ),
    **dict.fromkeys(
        ("sampler", "batchsampler", "weightedrandomsampler", "oversampleminority", "undersamplemajority"),
        ("there is no sampling by weights: remove it; splits are stratified by class"),
    ),
    **dict.fromkeys(
        ("classweight", "classweights"),
        _moved("train.class_weight", "write `class_weight: balanced` in `train`, or a weight by class"),
    ),
    **dict.fromkeys(
        (
            "sampleweight",
            "sampleweights",
            "posweight",
            "weightedmetrics",
            "sampleweightmode",
        ),
        _NO_WEIGHTS,
    ),
    "lossweights": "remove it: a Sequential model has one output, and so one loss",
    "lossweight": "remove it: a Sequential model has one output, and so one loss",
    # The loop
    **dict.fromkeys(("shuffle", "shuffling", "shouldshuffle", "shufflebuffersize", "buffersize"), _shuffled),
    "verbose": _PROGRESS,
    "verbosity": _PROGRESS,
    **dict.fromkeys(
        (
            "numepochs",
            "nbepoch",
            "nepochs",
            "maxepochs",
            "epoch",
            "nbepochs",
            "maxiter",
            "trainepochs",
            "numtrainepochs",
            "maxiterations",
        ),
        _moved("train.epochs"),
    ),
    **dict.fromkeys(
        ("minepochs", "minsteps"),
        "it belongs to a callback: `callbacks: [EarlyStopping: {patience: 3, start_from_epoch: 5}]`",
    ),
    **dict.fromkeys(
        (
            "batchsize",
            "bs",
            "nbatch",
            "minibatchsize",
            "perdevicetrainbatchsize",
            "trainbatchsize",
            "batch",
            "minibatch",
        ),
        _moved("train.batch_size"),
    ),
    **dict.fromkeys(
        (
            "evalbatchsize",
            "validationbatchsize",
            "testbatchsize",
            "maxbatchsize",
            "autoscalebatchsize",
            "perdeviceevalbatchsize",
        ),
        ("remove it: evaluation chooses its own batches, and `batch_size` is the training's"),
    ),
    **dict.fromkeys(
        (
            "stepsperepoch",
            "samplesperepoch",
            "maxsteps",
            "trainsteps",
            "iterations",
            "numsteps",
            "niter",
            "dropremainder",
        ),
        _WHOLE_EPOCHS,
    ),
    "droplast": "remove it: the last batch of an epoch may be smaller",
    **dict.fromkeys(
        ("validationsteps", "valsteps", "nbvalsamples", "evalsteps", "validationfreq", "valcheckinterval"), _EACH_EPOCH
    ),
    **dict.fromkeys(
        ("checkvaleverynepoch", "evaluationstrategy", "numsanityvalsteps", "evalfrequency", "valfreq"), _EACH_EPOCH
    ),
    **dict.fromkeys(
        ("evaluatetrainingset", "skipallevaluation", "dotrain", "doeval"),
        "remove it: `fit` trains, validates and tests",
    ),
    **dict.fromkeys(
        ("initialepoch", "resumefromcheckpoint", "ckptpath", "resume", "loadweights", "warmstart", "restore"), _RESUME
    ),
    "maxtime": "a run ends with its epochs, or with SIGTERM: remove it; `dltrain resume` goes on",
    **dict.fromkeys(("fastdevrun", "smoketest", "dryrun", "debug"), _SMOKE),
    **dict.fromkeys(
        ("maxqueuesize", "maxqsize", "workers", "nbworker", "usemultiprocessing", "picklesafe", "numworkers"), _PIPELINE
    ),
    **dict.fromkeys(
        ("pinmemory", "collatefn", "prefetchfactor", "persistentworkers", "workerinitfn", "multiprocessingcontext"),
        _PIPELINE,
    ),
    **dict.fromkeys(
        ("prefetch", "cache", "pinmemorydevice", "inorder", "generator", "timeout", "reloaddataloaderseverynepochs"),
        _PIPELINE,
    ),
    **dict.fromkeys(("numparallelcalls", "dataloader", "bucketingfield"), _PIPELINE),
    **dict.fromkeys(("runeagerly", "compile", "inferencemode", "functionstorun"), _GRAPH),
    **dict.fromkeys(("jitcompile", "xla"), _converted("runtime.jit_compile", _flag, True)),
    "onednn": "the variable TF_ENABLE_ONEDNN_OPTS turns it on (`1`) or off (`0`)",
    **dict.fromkeys(
        ("autoscaleloss", "lossscale", "targettensors", "distribute", "fromlogits"),
        ("remove it: `from_logits` is the loss's, and `precision` in `train` scales the loss"),
    ),
    # Lightning and Ludwig: machine, files, logs
    **dict.fromkeys(
        ("accelerator", "devices", "device", "gpu", "gpus", "numgpus", "tpucores", "numnodes", "strategy"), _ONE_MACHINE
    ),
    **dict.fromkeys(
        ("distributedbackend", "numprocesses", "syncbatchnorm", "usedistributedsampler", "replacesamplerddp"),
        _ONE_MACHINE,
    ),
    **dict.fromkeys(
        ("autoselectgpus", "ipus", "hpus", "cuda", "usegpu", "usecuda", "nocuda", "localrank", "plugins"), _ONE_MACHINE
    ),
    **dict.fromkeys(("preparedatapernode", "movemetricstocpu", "multipletrainloadermode"), _ONE_MACHINE),
    **dict.fromkeys(
        ("logger", "loggers", "logdir", "defaultrootdir", "outputdir", "logeverynsteps", "savedir", "tensorboard"),
        _OWN_FILES,
    ),
    **dict.fromkeys(
        ("enableautologhparams", "modelregistry", "weightssavepath", "flushlogseverynsteps", "reportto", "logging"),
        _OWN_FILES,
    ),
    **dict.fromkeys(
        ("loggingsteps", "loggingdir", "rungroup", "wandb", "mlflow", "trackgradnorm", "experimentname"), _OWN_FILES
    ),
    **dict.fromkeys(
        ("enablecheckpointing", "checkpointcallback", "stepspercheckpoint", "checkpointsperepoch"), _OWN_CHECKPOINTS
    ),
    **dict.fromkeys(
        ("savesteps", "saveevery", "checkpointevery", "modelcheckpoint", "checkpoints", "savetotallimit", "period"),
        _OWN_CHECKPOINTS,
    ),
    **dict.fromkeys(
        ("savebestonly", "savetopk", "loadbestmodelatend", "restorebestweights", "savestrategy"),
        ("remove it: the best epoch's weights are kept; `checkpoint: {monitor: val_loss}` says which is best"),
    ),
    **dict.fromkeys(
        ("validationmetric", "metricforbestmodel", "monitormetric", "scoring", "earlystoppingmetric"), _ITS_METRIC
    ),
    **dict.fromkeys(
        ("greaterisbetter", "monitormode", "goal"),
        _moved("train.checkpoint.mode", "write `checkpoint: {mode: max}` in `train`"),
    ),
    "validationfield": "remove it: a Sequential model has one output",
    **dict.fromkeys(("enableprogressbar", "progressbarrefreshrate", "enablemodelsummary", "weightssummary"), _PROGRESS),
    **dict.fromkeys(("processposition", "barebones", "disabletqdm", "loglevel", "progressbar"), _PROGRESS),
    **dict.fromkeys(
        ("benchmark", "autocast", "cudnnbenchmark", "threads", "numthreads"),
        "remove it: dltrain chooses threads and kernels",
    ),
    **dict.fromkeys(
        ("profiler", "profile", "enableprofiling"),
        "it is no part of a config: `dltrain fit --profile` reports where the time went",
    ),
    **dict.fromkeys(("hyperopt", "search", "sweep", "tuner", "grid", "paramgrid"), _NO_SEARCH),
    **dict.fromkeys(
        ("crossvalidation", "kfold", "cv", "folds", "nsplits"),
        "there is no cross-validation: `validation` in `data` holds out a share",
    ),
    **dict.fromkeys(
        ("mixedprecision", "amp", "usemixedprecision", "fp16", "bf16", "amplevel", "ampbackend", "dtype", "floatx"),
        (_converted("train.precision", _precision, "mixed_bfloat16")),
    ),
    **dict.fromkeys(
        ("randomseed", "randomstate", "seedeverything", "rngseed", "manualseed", "globalseed"), _moved("seed")
    ),
    # Names of sections
    "network": Fix("rename", ("model",), "write `model`"),
    "architecture": Fix("rename", ("model",), "write `model`"),
    "training": Fix("rename", ("train",), "write `train`"),
    "trainer": Fix("rename", ("train",), "write `train`"),
    "fit": Fix("rename", ("train",), "write `train`"),
    "objective": Fix("rename", ("loss",), "write `loss`"),
    "criterion": Fix("rename", ("loss",), "write `loss`"),
    "lossfunction": Fix("rename", ("loss",), "write `loss`"),
    "lossfn": Fix("rename", ("loss",), "write `loss`"),
    "metric": Fix("rename", ("metrics",), "write `metrics: [accuracy]`"),
    "evalmetric": Fix("rename", ("metrics",), "write `metrics: [accuracy]`"),
    "extends": "it stands at the top level of a file, and not in `-s`",
    "repeat": "it stands among `model.layers`, as `- repeat: {times: 3, layers: [...]}`",
}


def key(word: str, value: Any, around: Around) -> Fix | str | None:
    """Return what to write for a key of other frameworks with this value; None for an unknown one."""
    answer = KEYS.get(folded(word))
    return answer(value, around) if callable(answer) else answer
