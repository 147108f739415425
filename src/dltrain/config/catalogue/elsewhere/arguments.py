"""Arguments of other frameworks, at objects that bear Keras's names: `Dense: {out_features: 10}`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dltrain.config.catalogue.elsewhere import layers
from dltrain.config.catalogue.elsewhere.schedules import inverse_time
from dltrain.config.catalogue.elsewhere.words import Arguments, folded, number, plain
from dltrain.config.catalogue.entries import Entry
from dltrain.config.document.writer import flow

# What an argument is at an object of Keras: the name that it has there; or a function of its value, of all arguments,
# defaults included, and of the object's class. It returns Keras's arguments, a phrase on what to do where there are
# none, or None if it does not know the value.
Rule = str | Callable[[Any, Arguments, Entry], Mapping[str, Any] | str | None]

_SEES = "remove it: Keras sees what the layer gets"
_BATCH_FIRST = "remove it: the batch always comes first"
NO_CLASS_WEIGHTS = "there are no weights of classes or samples here, but `class_weight` in `train`: remove it"
CLASS_WEIGHTS = ("weight", "posweight", "classweight", "classweights", "sampleweight", "weights", "lossweight")
_NO_EFFECT = "remove it: dltrain decides how a step is computed"
_LABELS = "remove it: the data set gives the classes"


def _keep(value: Any, given: Arguments, entry: Entry) -> dict[str, Any] | None:
    """Return the rate of a `Dropout` that was told what share to keep."""
    share = number(value)
    return {"rate": plain(1 - share)} if share is not None and 0 <= share <= 1 else None


def _pair(value: Any, given: Arguments, entry: Entry) -> dict[str, Any] | None:
    pair = value if isinstance(value, list) and len(value) == 2 else []
    return dict(zip(("beta_1", "beta_2"), pair, strict=True)) if pair else None


def _border(value: Any, given: Arguments, entry: Entry) -> dict[str, Any] | str | None:
    return layers.padding(value, given)


def _dimensions(value: Any, given: Arguments, entry: Entry) -> dict[str, Any] | str:
    last = str(value).lower() in ("tf", "default", "channels_last", "nhwc")
    return "remove it: channels come last" if last else "remove it: samples here have their channels last"


def _initializer(key: str) -> Rule:
    return lambda value, given, entry: {key: value} if isinstance(value, str | dict) else None


def _sides(*keys: str) -> Rule:
    def carry(value: Any, given: Arguments, entry: Entry) -> dict[str, Any] | None:
        sides = [given.get(key, value) for key in keys]
        return {"kernel_size": sides} if all(number(side) is not None for side in sides) else None

    return carry


def _recurrent(given: Arguments, entry: Entry) -> tuple[str, dict[str, Any]]:
    kind = "SimpleRNN" if entry.name == "RNN" else entry.name
    units = next((given[key] for key in ("units", "hidden_size", "num_units") if given.get(key) is not None), 64)
    return kind, {"units": units}


def _layers(value: Any, given: Arguments, entry: Entry) -> str:
    """Return how several recurrent layers are written that PyTorch holds in one."""
    if value == 1:
        return "remove it: each layer is written for itself"
    written = layers.stacked(*_recurrent(given, entry), value if isinstance(value, int) else 2, False)
    return "write the layer as often as it is to come: " + ", ".join(f"`- {flow(layer)[1:-1]}`" for layer in written)


def _both_ways(value: Any, given: Arguments, entry: Entry) -> str:
    if value is False:
        return "remove it: a layer reads forward unless it is in `Bidirectional`"
    (layer,) = layers.stacked(*_recurrent(given, entry), 1, True)
    return f"write `{flow(layer)[1:-1]}`"


def _decay(value: Any, given: Arguments, entry: Entry) -> dict[str, Any] | str | None:
    """Return the `decay` of Keras 1's and 2's optimizers as the schedule that it was; that of TensorFlow's averages."""
    if entry.section != "optimizer":
        return {"momentum": value}
    decay = number(value)
    if decay is None:
        return None
    if decay == 0:
        return "remove it: 0 is no decay"
    rate = given.get("lr", given.get("learning_rate"))
    if number(rate) is None:
        return "remove it: the schedule decides the learning rate"
    return {"learning_rate": inverse_time(rate, decay)[0]}


def _affine(value: Any, given: Arguments, entry: Entry) -> dict[str, Any] | None:
    return {"center": value, "scale": value} if isinstance(value, bool) else None


def _turns(value: Any, given: Arguments, entry: Entry) -> dict[str, Any] | None:
    degrees = number(value)
    return {"factor": plain(degrees / 360)} if degrees is not None else None


def _epochs(value: Any, given: Arguments, entry: Entry) -> dict[str, Any] | str | None:
    """Return how epochs are written where Keras counts optimizer steps."""
    if entry.section != "schedule":
        return None
    key = next(key for key in ("decay_steps", "first_decay_steps", "boundaries") if key in entry.arguments)
    return _in_epochs(key, value) or f"Keras counts optimizer steps: write `{key}` in epochs, as in `10 epochs`"


def _warmup_epochs(value: Any, given: Arguments, entry: Entry) -> dict[str, Any] | str | None:
    if "warmup_steps" not in entry.arguments:
        return None
    return _in_epochs("warmup_steps", value) or "write `warmup_steps` in epochs, as in `10 epochs`"


def _in_epochs(key: str, value: Any) -> dict[str, Any] | None:
    """Return an argument that counts optimizer steps for a number of epochs, or several; None for other values."""
    items = value if isinstance(value, list) else [value]
    if not all((count := number(item)) is not None and 0 <= count < 1e6 for item in items):
        return None
    written = [f"{item:g} epoch{'s' * (item != 1)}" for item in items]
    return {key: written if key == "boundaries" else written[0]}


def _cell(value: Any, given: Arguments, entry: Entry) -> str | None:
    """Return PyTorch's `RNN` as Keras has it, whose `RNN` is another layer."""
    return f"write `SimpleRNN: {{units: {flow(value)}}}`" if entry.name == "RNN" else None


def _mask(value: Any, given: Arguments, entry: Entry) -> dict[str, Any] | str:
    return {"mask_zero": True} if value == 0 else "remove it: Keras masks the index 0 alone, with `mask_zero`"


def _layer_of(name: str) -> Rule:
    return lambda value, given, entry: f"it is a layer of its own behind this one: `- {name}`"


def _dropout(value: Any, given: Arguments, entry: Entry) -> str:
    share = value if number(value) is not None else 0.5
    return f"it is a layer of its own behind this one: `- Dropout: {{rate: {flow(share)}}}`"


def _removed(value: Any, given: Arguments, entry: Entry) -> str:
    return "remove it: Keras has none"


_TOKENS = {
    **dict.fromkeys(("bpe", "bytepair", "bytepairencoding", "bytepairtokenizer", "bytelevel", "subwords"), "subword"),
    **dict.fromkeys(("sentencepiece", "unigram", "wordpiece", "wordpiecetokenizer"), "subword"),
    **dict.fromkeys(("char", "chars", "characters", "charwb"), "character"),
    **dict.fromkeys(("word", "words", "space", "basicenglish"), "whitespace"),
}


def _tokens(value: Any, given: Arguments, entry: Entry) -> dict[str, Any] | None:
    """Return what tokens are, by the name of a tokenizer."""
    word = folded(str(value))
    known = _TOKENS.get(word) or (word if word in _TOKENS.values() else None)
    return {"split": known} if known is not None else None


def _tokens_if(split: str) -> Rule:
    return lambda value, given, entry: {"split": split if value is not False else "whitespace"}


def _say(phrase: str) -> Rule:
    return lambda value, given, entry: phrase


# By the name without case and underscores, in the order in which they are tried: the first that gives arguments that
# the object has, or a phrase, counts. A plain name is the argument's name in Keras.
ARGUMENTS: dict[str, tuple[Rule, ...]] = {
    # Learning rates and optimizers
    **dict.fromkeys(
        ("lr", "eta", "eta0", "baselr", "learnrate", "learningrateinit", "initiallr", "alpha0"),
        ("learning_rate", "initial_learning_rate"),
    ),
    "decay": (_decay,),
    "lrdecay": (_decay,),
    "learningratedecay": (_decay,),
    "betas": (_pair,),
    **dict.fromkeys(("beta1", "b1", "adambeta1"), ("beta_1",)),
    **dict.fromkeys(("beta2", "b2", "adambeta2"), ("beta_2",)),
    "eps": ("epsilon",),
    "adamepsilon": ("epsilon",),
    "alpha": ("negative_slope", "rho"),
    "wd": ("weight_decay",),
    "l2": ("weight_decay", "kernel_regularizer"),
    "usenesterov": ("nesterov",),
    "nesterovsmomentum": ("nesterov",),
    "dampening": (_removed,),
    "scheduledecay": (_removed,),
    "momentumdecay": (_removed,),
    "uselocking": (_say(_NO_EFFECT),),
    **{
        key: (_say(_NO_EFFECT),)
        for key in (
            "foreach",
            "fused",
            "capturable",
            "differentiable",
            "maximize",
            "lambd",
            "params",
            "parameters",
        )
    },
    **dict.fromkeys(
        ("gradclip", "maxgradnorm", "gradientclipval", "gradientclip", "gradclipnorm", "clipglobalnorm", "maxnorm"),
        ("global_clipnorm",),
    ),
    "clipgrad": ("clipnorm",),
    "clipnorm": ("clipnorm",),
    "clipvalue": ("clipvalue",),
    "globalstep": (_say("remove it: Keras counts the steps"),),
    "scheduler": (_say("write it as the rate: `learning_rate: {CosineDecay: {…}}`"),),
    "lrscheduler": (_say("write it as the rate: `learning_rate: {CosineDecay: {…}}`"),),
    **dict.fromkeys(("tmax", "t0", "stepsize", "milestones", "totaliters", "epochsdrop"), (_epochs,)),
    **dict.fromkeys(("warmupepochs", "numwarmupepochs"), (_warmup_epochs,)),
    # Sizes of layers
    **dict.fromkeys(
        ("hiddensize", "hiddenunits", "outfeatures", "neurons", "numunits", "nunits", "nhidden", "outputsize"),
        ("units", _cell),
    ),
    **dict.fromkeys(("numneurons", "numhidden", "hiddendim", "nodes", "width", "nodecount", "outputunits"), ("units",)),
    "outputdim": ("units",),
    "outdim": ("units", "output_dim"),
    "numoutputs": ("units", "filters"),
    "size": ("units", "pool_size", "kernel_size"),
    **dict.fromkeys(
        ("outchannels", "channels", "nbfilter", "nbfilters", "numfilters", "nfilters", "filter", "kernels", "depth"),
        ("filters",),
    ),
    **dict.fromkeys(
        ("kernel", "filtersize", "kernelshape", "ksize", "window", "filterlength"),
        ("kernel_size", "pool_size", "sequence_length"),
    ),
    "kernelsize": ("pool_size",),
    "nbrow": (_sides("nb_row", "nb_col"),),
    "nbcol": (_sides("nb_row", "nb_col"),),
    **{f"kerneldim{side}": (_sides("kernel_dim1", "kernel_dim2", "kernel_dim3"),) for side in (1, 2, 3)},
    **dict.fromkeys(("poollength", "pool", "windowsize", "poolingsize"), ("pool_size", "sequence_length")),
    **dict.fromkeys(("stride", "subsample", "subsamplelength", "poolstride", "poolstrides"), ("strides",)),
    **dict.fromkeys(("dilation", "dilations", "atrousrate", "dilationfactor"), ("dilation_rate",)),
    "bordermode": (_border,),
    "pad": (_border,),
    "pooltype": (_removed,),
    **dict.fromkeys(("bias", "hasbias", "withbias", "biasenabled"), ("use_bias",)),
    "dimordering": (_dimensions,),
    "imagedimordering": (_dimensions,),
    "numgroups": ("groups",),
    "numembeddings": ("input_dim",),
    "vocabsize": ("input_dim", "max_tokens", "num_words"),
    "vocabularysize": ("input_dim",),
    **dict.fromkeys(("embeddingdim", "embeddingsize", "embdim", "embeddim"), ("output_dim",)),
    "paddingidx": (_mask,),
    "dim": ("axis", "output_dim", "units"),
    "shape": ("target_shape",),
    "outputshape": ("target_shape", _removed),
    "dims": ("target_shape",),
    "scalefactor": ("size",),
    "length": ("size",),
    # Data sets
    **dict.fromkeys(("sep", "separator", "delim"), ("delimiter",)),
    **dict.fromkeys(
        ("label", "labelcolumn", "labelcol", "targetcolumn", "targetcol", "ycol", "ycolumn", "outcome", "classcolumn"),
        ("target",),
    ),
    **dict.fromkeys(("usecols", "featurecolumns", "featurecols", "xcols", "inputcolumns"), ("features",)),
    **dict.fromkeys(("dropcolumns", "dropcols", "exclude", "indexcol", "ignorecolumns"), ("drop",)),
    **dict.fromkeys(("categoricalcolumns", "categoricalfeatures", "catcols", "catfeatures"), ("categorical",)),
    **dict.fromkeys(
        ("lookback", "windowlength", "timesteps", "seqlen", "seqlength", "maxlen", "maxlength", "nlags"),
        ("sequence_length", "output_sequence_length"),
    ),
    **dict.fromkeys(("targetsize", "imgsize"), ("image_size",)),
    **dict.fromkeys(("xcol", "filenamecolumn", "pathcolumn"), ("image", "text")),
    **dict.fromkeys(("textcolumn", "textcol"), ("text",)),
    **dict.fromkeys(
        ("tokenizer", "tokenization", "tokenizertype", "tokenize", "tokens", "analyzer"), (_tokens, "split")
    ),
    **dict.fromkeys(("subword", "subwords", "bpe", "sentencepiece", "wordpiece"), (_tokens_if("subword"),)),
    "charlevel": (_tokens_if("character"),),
    "ngramrange": ("ngrams",),
    **dict.fromkeys(("datecolumn", "datecol", "parsedates"), ("time",)),
    **dict.fromkeys(("navalue", "nullvalues", "missingvalues"), ("na_values",)),
    **dict.fromkeys(("numwords", "maxwords", "maxfeatures"), ("max_tokens", "num_words")),
    "rescale": (_say("remove it: images arrive from 0 to 1"),),
    "classmode": (_say("remove it: labels follow the loss"),),
    "batchsize": (_say("it belongs under `train`: `batch_size: 32`"),),
    # Dropout, noise, activations
    **dict.fromkeys(
        ("p", "dropoutrate", "prob", "dropprob", "dropoutprob", "droprate", "probability", "dropoutp", "ratio"),
        ("rate",),
    ),
    "keepprob": (_keep,),
    "dropout": ("rate", _dropout),
    "dropoutw": ("dropout",),
    "dropoutu": ("recurrent_dropout",),
    "sigma": ("stddev",),
    "std": ("stddev",),
    "slope": ("negative_slope",),
    "leak": ("negative_slope",),
    "leakiness": ("negative_slope",),
    "theta": ("threshold",),
    **dict.fromkeys(
        ("activationfn", "nonlinearity", "act", "actfn", "hiddenact", "transferfunction", "actfunc"), ("activation",)
    ),
    "activationfunction": ("activation",),
    "inneractivation": ("recurrent_activation",),
    "batchnorm": (_layer_of("BatchNormalization"),),
    "usebatchnorm": (_layer_of("BatchNormalization"),),
    "batchnormalization": (_layer_of("BatchNormalization"),),
    "normalizerfn": (_layer_of("BatchNormalization"),),
    "norm": (_layer_of("BatchNormalization"),),
    # Initializers, regularizers, constraints
    "init": tuple(_initializer(key) for key in ("kernel_initializer", "embeddings_initializer", "alpha_initializer")),
    **{
        key: (_initializer("kernel_initializer"),)
        for key in (
            "initializer",
            "weightsinitializer",
            "weightinit",
            "kernelinit",
            "winit",
            "weightinitializer",
            "initialization",
        )
    },
    **{key: (_initializer("bias_initializer"),) for key in ("biasinit", "biasesinitializer", "binit")},
    "innerinit": (_initializer("recurrent_initializer"),),
    "betainit": (_initializer("beta_initializer"),),
    "gammainit": (_initializer("gamma_initializer"),),
    **dict.fromkeys(
        ("regularizer", "wregularizer", "weightregularizer", "weightsregularizer", "kernelreg", "l2reg"),
        ("kernel_regularizer", "embeddings_regularizer"),
    ),
    "bregularizer": ("bias_regularizer",),
    "biasesregularizer": ("bias_regularizer",),
    "uregularizer": ("recurrent_regularizer",),
    "wconstraint": ("kernel_constraint", "embeddings_constraint"),
    "bconstraint": ("bias_constraint",),
    "gain": (_removed,),
    # Normalization
    "affine": (_affine,),
    "elementwiseaffine": (_affine,),
    "trackrunningstats": (_say("remove it: Keras always keeps the averages"),),
    "mode": (_removed,),
    "numfeatures": (_say(_SEES),),
    "numchannels": (_say(_SEES),),
    "normalizedshape": (_say(_SEES),),
    # What a layer gets
    **{
        key: (_say(_SEES),)
        for key in (
            "inputshape",
            "inputdim",
            "batchinputshape",
            "batchshape",
            "inchannels",
            "infeatures",
            "inputsize",
            "inputlength",
        )
    },
    "inputs": (_say(_SEES),),
    "ninputs": (_say(_SEES),),
    "batchfirst": (_say(_BATCH_FIRST),),
    "timemajor": (_say(_BATCH_FIRST),),
    "startdim": (_say("remove it: `Flatten` keeps the batch and joins all other axes"),),
    "enddim": (_say("remove it: `Flatten` keeps the batch and joins all other axes"),),
    "inplace": (_say(_NO_EFFECT),),
    "device": (_say("remove it: a GPU is used where there is one"),),
    "consumeless": (_say(_NO_EFFECT),),
    "implementation": (_say(_NO_EFFECT),),
    "resetafter": (_say(_NO_EFFECT),),
    "forgetbiasinit": (_say("remove it: `unit_forget_bias: true` is the default"),),
    "forgetbias": (_say("remove it: `unit_forget_bias: true` is the default"),),
    "unitforgetbias": (_removed,),
    "ceilmode": (_removed,),
    "returnindices": (_removed,),
    "countincludepad": (_removed,),
    "paddingmode": (_say("remove it: Keras pads with zeros"),),
    "numparameters": (_removed,),
    # Recurrent layers
    "numlayers": (_layers,),
    "nlayers": (_layers,),
    "bidirectional": (_both_ways,),
    # Augmentation
    "degrees": (_turns,),
    "rotationrange": (_turns,),
    "angle": (_turns,),
    # Losses and metrics
    **{key: (_say(NO_CLASS_WEIGHTS),) for key in CLASS_WEIGHTS},
    "logits": ("from_logits",),
    "withlogits": ("from_logits",),
    "ignoreindex": ("ignore_class",),
    "smoothing": ("label_smoothing",),
    "beta": ("delta",),
    "sizeaverage": (_removed,),
    "reduce": (_removed,),
    "task": (_say(_LABELS),),
    "numclasses": (_say(_LABELS),),
    "nclasses": (_say(_LABELS),),
    "labels": (_say(_LABELS),),
    "topk": ("k",),
    # Callbacks
    **dict.fromkeys(
        ("niternochange", "wait", "earlystoppingrounds", "rounds", "earlystop", "epochs", "numepochs", "nochange"),
        ("patience",),
    ),
    **dict.fromkeys(("threshold", "tol", "tolerance", "delta", "epsilon", "mindelta"), ("min_delta",)),
    **dict.fromkeys(("metric", "metricname", "monitormetric", "score", "quantity", "validationmetric"), ("monitor",)),
    **dict.fromkeys(("restorebest", "restorebestmodel", "restoreweights", "loadbest"), ("restore_best_weights",)),
    **dict.fromkeys(("minepochs", "startepoch", "warmup", "minepoch"), ("start_from_epoch",)),
    "thresholdmode": (_removed,),
    "strict": (_removed,),
    "checkfinite": (_say("remove it: a loss that is not finite ends the run"),),
    "stoppingthreshold": (_removed,),
    "divergencethreshold": (_removed,),
    "reducelrfactor": ("factor",),
    "minimumlr": ("min_lr",),
}


def carried(entry: Entry, key: str, value: Any, given: Arguments) -> Mapping[str, Any] | str | None:
    """Return what another framework's argument is at an object of Keras.

    Returns: Keras's arguments; a phrase on what to do where there are none; None for a word that is not known.
    """
    defaults = {name: argument.default for name, argument in entry.arguments.items() if argument.has_default}
    for rule in ARGUMENTS.get(folded(key), ()):
        found = {rule: value} if isinstance(rule, str) else rule(value, {**defaults, **given}, entry)
        if isinstance(found, str) or (found and set(found) <= set(entry.arguments)):
            return found
    return None


def known(entry: Entry, given: Arguments) -> dict[str, Any]:
    """Return the arguments that an object of Keras has among `given`, those of other frameworks translated."""
    found = {key: value for key, value in given.items() if key in entry.arguments}
    for key, value in given.items():
        if key in entry.arguments:
            continue
        more = carried(entry, key, value, given)
        if isinstance(more, Mapping) and twice(found, more) is None:
            found |= more
    return found


def twice(given: Arguments, found: Arguments) -> str | None:
    """Return the argument that is given already with another value; one that goes into a nested object is not lost."""
    for key, value in found.items():
        if key not in given or given[key] == value:
            continue
        nested = [item for item in value.values() if isinstance(item, Mapping)] if isinstance(value, Mapping) else []
        if not any(given[key] in item.values() for item in nested):
            return key
    return None


def in_other_unit(entry: Entry, key: str, value: Any) -> str | None:
    """Return what to write for a value in the unit of other frameworks; None for other values."""
    sizes = value if isinstance(value, list) else [value]
    if not all(number(size) is not None for size in sizes):
        return None
    if (entry.name, key) == ("RandomRotation", "factor") and all(abs(size) <= 360 for size in sizes):
        shares = [plain(size / 360) for size in sizes]
        written = flow(shares if isinstance(value, list) else shares[0])
        return f"a share of a whole turn, not degrees: write `{written}`"
    if key == "padding" and "valid" in entry.arguments[key].choices:
        return f"write `{'same' if any(sizes) else 'valid'}`"
    return None
