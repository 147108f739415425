"""Losses, metrics, optimizers, callbacks of PyTorch, Lightning, Keras 1 and 2, TensorFlow 1, Ludwig, scikit-learn."""

from __future__ import annotations

from typing import Any

from dltrain.config.catalogue.elsewhere.words import Arguments, Around, Carry, Make, Table, Word, made, number
from dltrain.config.document.writer import flow

_NO_LOSS = "Keras has no such loss"
_PAIRS = "it compares pairs of outputs, and samples here have one label each"
_OWN_METRIC = "Keras has no such metric: remove it"
_ERRORS = "Keras has none: write `accuracy`, and take 1 - accuracy for the share of errors"


def _logits(name: str) -> Make:
    """Return the translation of a loss that takes outputs before their softmax or sigmoid."""

    def make(given: Arguments, around: Around) -> list[Any] | str:
        kind = name
        arguments: dict[str, Any] = {}
        if number(given.get("label_smoothing")):
            kind = "CategoricalCrossentropy" if kind == "SparseCategoricalCrossentropy" else kind
            arguments["label_smoothing"] = given["label_smoothing"]
        elif given.get("ignore_index") is not None and kind == "SparseCategoricalCrossentropy":
            arguments["ignore_class"] = given["ignore_index"]
        logits = {kind: {"from_logits": True, **arguments}}
        if not around.squashed:
            return [logits]
        plain = flow({kind: arguments})[1:-1] if arguments else kind
        return f"write `{plain}`; or, without the last activation, `{flow(logits)[1:-1]}`"

    return make


def _probabilities(given: Arguments, around: Around) -> list[Any] | str:
    """Return the cross-entropy for the outputs that the model has."""
    return ["binary_crossentropy" if around.outputs == 1 else "sparse_categorical_crossentropy"]


def _likelihood(given: Arguments, around: Around) -> list[Any] | str:
    """Return the loss of log-probabilities: Keras takes the probabilities, or logits, which these are too."""
    return _logits("SparseCategoricalCrossentropy")(given, around)


def _focal(given: Arguments, around: Around) -> list[Any] | str:
    kind = "BinaryFocalCrossentropy" if around.outputs == 1 else "CategoricalFocalCrossentropy"
    arguments: dict[str, Any] = {key: given[key] for key in ("alpha", "gamma") if number(given.get(key)) is not None}
    if not around.squashed:
        arguments["from_logits"] = True
    return [{kind: arguments} if arguments else kind]


def _hinge(given: Arguments, around: Around) -> list[Any] | str:
    return ["hinge" if around.outputs == 1 else "categorical_hinge"]


def _loss(name: str, **carried: Carry) -> Word:
    return Word(name, {**carried, "size_average": None, "reduce": None})


def _percentages(name: str) -> str:
    return f"Keras has none; the nearest, the mean of |error| / |target| in percent: write `{name}`"


LOSSES: Table = {
    # PyTorch
    "l1loss": _loss("mean_absolute_error"),
    "mseloss": _loss("mean_squared_error"),
    "crossentropyloss": made(_logits("SparseCategoricalCrossentropy"), "-weight", "-size_average", "ignore_index"),
    "ctcloss": "it compares sequences of labels, and samples here have one label each",
    "nllloss": made(_likelihood, "-weight", "-size_average", "ignore_index"),
    "nllloss2d": made(_likelihood, "-weight", "-size_average", "ignore_index"),
    "poissonnllloss": _loss("poisson", log_input=None, full=None, eps=None),
    "gaussiannllloss": _NO_LOSS,
    "kldivloss": _loss("kl_divergence", log_target=None),
    "bceloss": _loss("binary_crossentropy"),
    "bcewithlogitsloss": made(_logits("BinaryCrossentropy")),
    "multilabelsoftmarginloss": made(_logits("BinaryCrossentropy")),
    "hingeembeddingloss": _PAIRS,
    "cosineembeddingloss": _PAIRS,
    "marginrankingloss": _PAIRS,
    "tripletmarginloss": _PAIRS,
    "tripletmarginwithdistanceloss": _PAIRS,
    "contrastiveloss": _PAIRS,
    "multilabelmarginloss": _NO_LOSS,
    "multimarginloss": _loss("categorical_hinge", p=None, margin=None),
    "softmarginloss": made(_logits("BinaryCrossentropy")),
    "huberloss": _loss("Huber", delta="delta"),
    "smoothl1loss": _loss("Huber", beta="delta"),
    "smoothl1": _loss("Huber", beta="delta"),
    # Keras 1 and 2
    "kullbackleiblerdivergence": Word("kl_divergence", {}),
    "cosineproximity": Word("cosine_similarity", {}),
    "cosine": Word("cosine_similarity", {}),
    "logcosh": Word("log_cosh", {}),
    # TensorFlow 1
    "softmaxcrossentropy": made(_logits("CategoricalCrossentropy")),
    "softmaxcrossentropywithlogits": made(_logits("CategoricalCrossentropy")),
    "softmaxcrossentropywithlogitsv2": made(_logits("CategoricalCrossentropy")),
    "sparsesoftmaxcrossentropy": made(_logits("SparseCategoricalCrossentropy")),
    "sparsesoftmaxcrossentropywithlogits": made(_logits("SparseCategoricalCrossentropy")),
    "sigmoidcrossentropy": made(_logits("BinaryCrossentropy")),
    "sigmoidcrossentropywithlogits": made(_logits("BinaryCrossentropy")),
    "weightedcrossentropywithlogits": made(_logits("BinaryCrossentropy")),
    "absolutedifference": Word("mean_absolute_error", {}),
    "cosinedistance": Word("cosine_similarity", {}),
    "hingeloss": made(_hinge),
    "l2loss": Word("mean_squared_error", {}),
    "meanpairwisesquarederror": _NO_LOSS,
    "nceloss": _NO_LOSS,
    "sampledsoftmaxloss": _NO_LOSS,
    # Ludwig and scikit-learn
    "binaryweightedcrossentropy": made(_logits("BinaryCrossentropy")),
    "sequencesoftmaxcrossentropy": _NO_LOSS,
    "nexttokensoftmaxcrossentropy": _NO_LOSS,
    "corn": _NO_LOSS,
    "rootmeansquarederror": Word("mean_squared_error", {}),
    "rootmeansquaredpercentageerror": _percentages("mean_absolute_percentage_error"),
    "rmspe": _percentages("mean_absolute_percentage_error"),
    "smape": _percentages("mean_absolute_percentage_error"),
    "smapeloss": _percentages("mean_absolute_percentage_error"),
    "symmetricmeanabsolutepercentageerror": _percentages("mean_absolute_percentage_error"),
    "rmsle": Word("mean_squared_logarithmic_error", {}),
    "squarederror": Word("mean_squared_error", {}),
    "squaredloss": Word("mean_squared_error", {}),
    "absoluteerror": Word("mean_absolute_error", {}),
    "absoluteloss": Word("mean_absolute_error", {}),
    "quantileloss": _NO_LOSS,
    "pinballloss": _NO_LOSS,
    "logloss": made(_probabilities),
    # words in use
    "crossentropy": made(_probabilities),
    "ce": made(_probabilities),
    "xent": made(_probabilities),
    "nll": made(_probabilities),
    "negativeloglikelihood": made(_probabilities),
    "softmaxloss": made(_probabilities),
    "multinomial": made(_probabilities),
    "sigmoidloss": Word("binary_crossentropy", {}),
    "binarylogloss": Word("binary_crossentropy", {}),
    "sparsecrossentropy": Word("sparse_categorical_crossentropy", {}),
    "focal": made(_focal, "alpha", "gamma"),
    "focalloss": made(_focal, "alpha", "gamma"),
    "sigmoidfocalloss": made(_focal, "alpha", "gamma"),
    "sigmoidfocalcrossentropy": made(_focal, "alpha", "gamma"),
    "diceloss": Word("Dice", {}),
    "tverskyloss": Word("Tversky", {}),
    "l2": Word("mean_squared_error", {}),
    "l1": Word("mean_absolute_error", {}),
    "rmse": Word("mean_squared_error", {}),
    "rmseloss": Word("mean_squared_error", {}),
    "maeloss": Word("mean_absolute_error", {}),
    "logcoshloss": Word("log_cosh", {}),
    "smoothmae": Word("Huber", {}),
}


def _f1(average: str) -> Word:
    return made(
        lambda given, around: [{"F1Score": {"average": given.get("average") or average}}], "num_classes", "average"
    )


def _binary_f1(given: Arguments, around: Around) -> list[Any] | str:
    """Return the F1 of the class 1: that of the only output, or its number among those of each class."""
    if around.outputs != 1:
        return ["F1Score"]
    return [{"F1Score": {"average": "micro", "threshold": number(given.get("threshold")) or 0.5}}]


def _cross_entropy(given: Arguments, around: Around) -> list[Any] | str:
    return ["binary_crossentropy" if around.outputs == 1 else "SparseCategoricalCrossentropy"]


_ACCURACY: dict[str, Carry] = {
    **{"task": None, "num_classes": None, "average": None, "threshold": None, "multiclass": None, "num_labels": None}
}
_TASK: dict[str, Carry] = {"task": None, "num_classes": None, "average": None, "num_labels": None}
METRICS: Table = {
    # torchmetrics
    "multiclassaccuracy": Word("accuracy", _ACCURACY),
    "multilabelaccuracy": Word("binary_accuracy", _ACCURACY),
    "top1accuracy": Word("accuracy", {}),
    "precision": Word("Precision", _TASK),
    "recall": Word("Recall", _TASK),
    "f1": _f1("macro"),
    "f1score": _f1("macro"),
    "binaryf1score": made(_binary_f1, "threshold"),
    "multiclassf1score": _f1("macro"),
    "auroc": Word("AUC", _TASK),
    "binaryauroc": Word("AUC", _TASK),
    "averageprecision": Word("AUC", _TASK, {"curve": "PR"}),
    "prauc": Word("AUC", {}, {"curve": "PR"}),
    "aucpr": Word("AUC", {}, {"curve": "PR"}),
    "rocauc": Word("AUC", {}),
    "jaccardindex": _OWN_METRIC,
    "jaccard": _OWN_METRIC,
    "cohenkappa": _OWN_METRIC,
    "matthewscorrcoef": _OWN_METRIC,
    "confusionmatrix": "every evaluation writes confusion.csv: remove it",
    "meansquarederror": Word("MeanSquaredError", {"squared": None}),
    "specificity": _OWN_METRIC,
    "hingeloss": Word("hinge", {}),
    "kldivergence": Word("KLDivergence", {}),
    "perplexity": _OWN_METRIC,
    "explainedvariance": "Keras has none; the nearest, which counts a constant error too: write `R2Score`",
    "spearmancorrcoef": "Keras has no correlation of ranks; the nearest: write `PearsonCorrelation`",
    "pearsoncorrcoef": Word("PearsonCorrelation", {}),
    "concordancecorrcoef": Word("ConcordanceCorrelation", {}),
    # Keras 1
    "fmeasure": _f1("macro"),
    "fscore": _f1("macro"),
    "fbetascore": made(lambda given, around: [{"FBetaScore": {"average": "macro", **given}}]),
    "matthewscorrelation": _OWN_METRIC,
    "cosineproximity": Word("cosine_similarity", {}),
    "kullbackleiblerdivergence": Word("KLDivergence", {}),
    "logcosh": Word("LogCoshError", {}),
    # TensorFlow 1, Ludwig
    "percentageless": _OWN_METRIC,
    "meanperclassaccuracy": _OWN_METRIC,
    "meanrelativeerror": Word("MeanAbsolutePercentageError", {}),
    "rootmeansquarederror": Word("RootMeanSquaredError", {}),
    **dict.fromkeys(
        ("rootmeansquaredpercentageerror", "rmspe", "smape", "symmetricmeanabsolutepercentageerror"),
        _percentages("MeanAbsolutePercentageError"),
    ),
    "hitsatk": Word("SparseTopKCategoricalAccuracy", {}, {"k": 3}),
    "accuracymicro": Word("accuracy", {}),
    "tokenaccuracy": Word("accuracy", {}),
    "sequenceaccuracy": Word("accuracy", {}),
    **dict.fromkeys(("errorrate", "error", "classificationerror", "zerooneloss", "misclassificationrate"), _ERRORS),
    # scikit-learn
    "accuracyscore": Word("accuracy", {}),
    "balancedaccuracy": _OWN_METRIC,
    "balancedaccuracyscore": _OWN_METRIC,
    "f1macro": _f1("macro"),
    "f1micro": _f1("micro"),
    "f1weighted": _f1("weighted"),
    "rocaucscore": Word("AUC", {}),
    "rocaucovr": Word("AUC", {}),
    "averageprecisionscore": Word("AUC", {}, {"curve": "PR"}),
    "logloss": made(_cross_entropy),
    "neglogloss": made(_cross_entropy),
    "negmeansquarederror": Word("MeanSquaredError", {}),
    "negmeanabsoluteerror": Word("MeanAbsoluteError", {}),
    "negrootmeansquarederror": Word("RootMeanSquaredError", {}),
    "r2": Word("R2Score", {}),
    "maxerror": _OWN_METRIC,
    "medianabsoluteerror": "Keras has no median; the nearest: write `MeanAbsoluteError`",
    "brierscore": Word("MeanSquaredError", {}),
    # words in use
    "crossentropy": made(_cross_entropy),
    "ce": made(_cross_entropy),
    "rmse": Word("RootMeanSquaredError", {}),
    "msle": Word("MeanSquaredLogarithmicError", {}),
    "top5": Word("SparseTopKCategoricalAccuracy", {}),
    "top3": Word("SparseTopKCategoricalAccuracy", {}, {"k": 3}),
    "topk": Word("SparseTopKCategoricalAccuracy", {}),
    "topkaccuracy": Word("SparseTopKCategoricalAccuracy", {"top_k": "k"}),
    "top5accuracy": Word("SparseTopKCategoricalAccuracy", {}),
    "top3accuracy": Word("SparseTopKCategoricalAccuracy", {}, {"k": 3}),
    "tp": Word("TruePositives", {}),
    "tn": Word("TrueNegatives", {}),
    "fp": Word("FalsePositives", {}),
    "fn": Word("FalseNegatives", {}),
    "sensitivity": Word("Recall", {}),
    "tpr": Word("Recall", {}),
    "ppv": Word("Precision", {}),
    "loss": "the loss is always reported: remove it",
    "valloss": "the loss is always reported: remove it",
    "valaccuracy": Word("accuracy", {}),
    "lr": "the learning rate is always in the journal: remove it",
}

_NEITHER = "Keras has none: write `Adam` or `SGD`"
_OPTIMIZER: dict[str, Carry] = {"params": None, "lr": "learning_rate"}
_NESTEROV: dict[str, Carry] = {
    "learning_rate": "learning_rate",
    "momentum": "momentum",
    "use_locking": None,
    "use_nesterov": "nesterov",
}


def _momentum_optimizer(given: Arguments, around: Around) -> list[Any] | str:
    arguments: dict[str, Any] = {"momentum": given.get("momentum", 0.9)}
    rate = given.get("learning_rate", given.get("lr"))
    if rate is not None:
        arguments = {"learning_rate": rate, **arguments}
    if given.get("use_nesterov", given.get("nesterov")) is True:
        arguments["nesterov"] = True
    return [{"SGD": arguments}]


OPTIMIZERS: Table = {
    # PyTorch
    "sparseadam": Word("Adam", _OPTIMIZER),
    "radam": Word("Adam", {**_OPTIMIZER, "decoupled_weight_decay": None}),
    "asgd": Word("SGD", {**_OPTIMIZER, "lambd": None, "alpha": None, "t0": None}, {"use_ema": True}),
    "rprop": _NEITHER,
    "lbfgs": _NEITHER,
    # TensorFlow 1 and its contributed ones
    "gradientdescentoptimizer": Word("SGD", {"learning_rate": "learning_rate", "use_locking": None}),
    "gradientdescent": Word("SGD", {"learning_rate": "learning_rate"}),
    "momentumoptimizer": made(_momentum_optimizer, "learning_rate", "momentum"),
    "momentum": made(_momentum_optimizer, "learning_rate", "momentum"),
    "nesterov": made(
        lambda given, around: _momentum_optimizer({**given, "nesterov": True}, around), "learning_rate", "momentum"
    ),
    "adamoptimizer": Word("Adam", {"learning_rate": "learning_rate", "use_locking": None}),
    "adamwoptimizer": Word("AdamW", {"weight_decay": "weight_decay", "learning_rate": "learning_rate"}),
    "momentumwoptimizer": made(_momentum_optimizer, "learning_rate", "momentum"),
    "adagradoptimizer": Word("Adagrad", {"learning_rate": "learning_rate", "use_locking": None}),
    "adagraddaoptimizer": Word("Adagrad", {"learning_rate": "learning_rate", "use_locking": None}),
    "proximaladagradoptimizer": Word("Adagrad", {"learning_rate": "learning_rate", "use_locking": None}),
    "proximalgradientdescentoptimizer": Word("SGD", {"learning_rate": "learning_rate", "use_locking": None}),
    "adadeltaoptimizer": Word("Adadelta", {"learning_rate": "learning_rate", "use_locking": None}),
    "adamaxoptimizer": Word("Adamax", {"learning_rate": "learning_rate", "use_locking": None}),
    "nadamoptimizer": Word("Nadam", {"learning_rate": "learning_rate", "use_locking": None}),
    "lazyadamoptimizer": Word("Adam", {"learning_rate": "learning_rate", "use_locking": None}),
    "ftrloptimizer": Word("Ftrl", {"learning_rate": "learning_rate", "use_locking": None}),
    "rmspropoptimizer": Word("RMSprop", {"learning_rate": "learning_rate", "decay": "rho", "use_locking": None}),
    "tfoptimizer": _NEITHER,
    "lazyadam": Word("Adam", {}),
    "rectifiedadam": Word("Adam", {"total_steps": None, "warmup_proportion": None}),
    "sgdw": Word("SGD", {"weight_decay": "weight_decay"}),
    "lookahead": _NEITHER,
    "novograd": _NEITHER,
    "yogi": _NEITHER,
    "lars": "Keras has none: write `Lamb`, or `SGD` with `momentum`",
    "adabound": _NEITHER,
    "adabelief": Word("Adam", {}),
    "ranger": _NEITHER,
    "shampoo": "Keras has none: write `Muon`, or `Adam`",
    "sophia": "Keras has none: write `Lion`, or `AdamW`",
    # Ludwig and Hugging Face
    **{name: Word("Adam", {}) for name in ("adam8bit", "pagedadam", "pagedadam8bit", "fusedadam")},
    **{
        name: Word("AdamW", {})
        for name in (
            "adamwtorch",
            "adamwtorchfused",
            "adamwhf",
            "adamw8bit",
            "pagedadamw",
            "pagedadamw8bit",
            "adamwbnb8bit",
        )
    },
    **{
        name: Word("SGD", {})
        for name in ("sgd8bit", "minibatchgd", "gd", "stochasticgradientdescent", "vanillasgd", "backprop")
    },
    "adagrad8bit": Word("Adagrad", {}),
    "rmsprop8bit": Word("RMSprop", {}),
    "lion8bit": Word("Lion", {}),
    "lamb8bit": Word("Lamb", {}),
}

_CHECKPOINTS = "every epoch has its checkpoint: remove it"
_PROGRESS = "`fit` shows progress itself: remove it"
_REPORTS = "every run has its journal, metrics.csv and TensorBoard events: remove it"
_STOPPING: dict[str, Carry] = {"monitor": "monitor", "min_delta": "min_delta", "patience": "patience"}


def _average(given: Arguments, around: Around) -> list[Any] | str:
    return "write `use_ema: true` in the optimizer"


CALLBACKS: Table = {
    # Lightning
    "batchsizefinder": "write `batch_size` in `train`",
    "learningratefinder": "Keras has none: try rates with `-s train.optimizer.Adam.learning_rate=1e-3`",
    "devicestatsmonitor": "`fit --profile` reports where the time went: remove it",
    "gradientaccumulationscheduler": "write `gradient_accumulation_steps` in the optimizer",
    "learningratemonitor": "every epoch's learning rate is in the journal: remove it",
    "modelpruning": "pruning is not offered: remove it",
    "modelsummary": "`check` shows the layers: remove it",
    "richmodelsummary": "`check` shows the layers: remove it",
    "progressbar": _PROGRESS,
    "richprogressbar": _PROGRESS,
    "tqdmprogressbar": _PROGRESS,
    "progbar": _PROGRESS,
    "tqdmcallback": _PROGRESS,
    "stochasticweightaveraging": made(_average),
    "weightaveraging": made(_average),
    "emaweightaveraging": made(_average),
    "throughputmonitor": "`fit --profile` reports where the time went: remove it",
    "timer": "a run ends with its epochs: write fewer `epochs`",
    "ondevicestatsmonitor": "`fit --profile` reports where the time went: remove it",
    "checkpoint": _CHECKPOINTS,
    "checkpointing": _CHECKPOINTS,
    "onexceptioncheckpoint": _CHECKPOINTS,
    "modelcheckpoint": "every epoch has its checkpoint; `checkpoint: {monitor: val_loss}` says which is best",
    # Keras 1 and 2, TensorFlow, others
    "baselogger": _REPORTS,
    "tensorboardlogger": _REPORTS,
    "wandblogger": _REPORTS,
    "wandbcallback": _REPORTS,
    "wandbmetricslogger": _REPORTS,
    "mlflowcallback": _REPORTS,
    "neptunecallback": _REPORTS,
    "tensorboardimage": _REPORTS,
    "metricslogger": _REPORTS,
    "csvloggercallback": _REPORTS,
    "earlystop": Word("EarlyStopping", _STOPPING),
    "earlystoppingcallback": Word("EarlyStopping", _STOPPING),
    "reducelr": Word("ReduceLROnPlateau", {}),
    "lrscheduleronplateau": Word("ReduceLROnPlateau", {}),
    "terminateonnan": Word("TerminateOnNaN", {}),
    "lrfinder": "Keras has none: try rates with `-s train.optimizer.Adam.learning_rate=1e-3`",
    "modelema": made(_average),
    "exponentialmovingaverage": made(_average),
    "gradualunfreeze": "`freeze` in `train` takes names of layers; a second run with `initial_weights` trains all",
}

# Data sets that tutorials use; none of these is offered.
DATASETS = frozenset(
    (
        *("adult", "agnews", "breastcancer", "caltech101", "celeba"),
        *("cityscapes", "coco", "covtype", "dbpedia", "diabetes", "emnist", "esc50"),
        *("fakedata", "flowers102", "food101", "galaxymnist", "imagenet", "imagenette"),
        *("iris", "kmnist", "kuzushijimnist", "lfwpeople", "librispeech", "linnerud", "medmnist", "mnist1d"),
        *("mnistc", "movielens", "movingmnist", "newsgroups20", "notmnist", "olivettifaces", "omniglot", "oxfordpet"),
        *("penntreebank", "places365", "qmnist", "semeion", "speechcommands", "squad", "sst2", "stl10"),
        *("svhn", "tinyimagenet", "titanic", "twentynewsgroups", "usps", "wikitext", "wine", "winequality", "yelp"),
    )
)
_IMAGES = "a folder of images is `image_folder: {path: photos, image_size: [64, 64]}`"
DATASET_WORDS: Table = {
    **dict.fromkeys(
        ("imagedatasetfromdirectory", "flowfromdirectory", "imagedatagenerator", "imagedatabunch", "images"), _IMAGES
    ),
    "makeclassification": Word(
        "synthetic", {"n_samples": "samples", "n_features": "features", "n_classes": "classes", "random_state": "seed"}
    ),
    "makemoons": Word("synthetic", {"n_samples": "samples", "noise": "noise", "random_state": "seed"}, {"features": 2}),
    "makecircles": Word(
        "synthetic", {"n_samples": "samples", "noise": "noise", "random_state": "seed"}, {"features": 2}
    ),
    "makeblobs": Word(
        "synthetic", {"n_samples": "samples", "n_features": "features", "centers": "classes", "random_state": "seed"}
    ),
    "makeregression": Word(
        "synthetic",
        {"n_samples": "samples", "n_features": "features", "noise": None, "random_state": "seed"},
        {"task": "regression"},
    ),
    "random": Word("synthetic", {}),
    "fake": Word("synthetic", {}),
    "toy": Word("synthetic", {}),
    "dummy": Word("synthetic", {}),
    "loaddigits": Word("digits", {}),
    **dict.fromkeys(
        ("fashion", "fashionmnist"), Word("fashion_mnist", {"root": None, "train": None, "download": None})
    ),
    **dict.fromkeys(("cifar", "cifar10"), Word("cifar10", {"root": None, "train": None, "download": None})),
    "cifar100": Word("cifar100", {"root": None, "train": None, "download": None}),
    **dict.fromkeys(("imdbreviews", "aclimdb"), Word("imdb", {}, {"num_words": 10_000, "sequence_length": 200})),
    **dict.fromkeys(("california", "californiahousing", "fetchcaliforniahousing"), Word("california_housing", {})),
    **dict.fromkeys(("boston", "bostonhousing", "loadboston"), Word("boston_housing", {})),
    "opticaldigits": Word("digits", {}),
    "handwrittendigits": Word("mnist", {}),
    "mnist784": Word("mnist", {}),
    "mnistnpz": Word("mnist", {}),
}
