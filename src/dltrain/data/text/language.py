"""One long text as windows of tokens, each followed by the token that is to be told.

Windows of subwords begin at words: their number and the splits are known before a subword is learnt. As a word has at
least one, no window reaches further than one of as many words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dltrain.data.facts import Facts, Task
from dltrain.data.tables.dataset import SPLITS
from dltrain.data.tables.table import Wrong
from dltrain.data.text.files import parts_of
from dltrain.data.text.tokens import Count, Tokenizer, Tokens, Words
from dltrain.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from dltrain.data.arrays import Prepared, RawDataset, Split
    from dltrain.data.text.form import Form
    from dltrain.data.text.ragged import Ragged

_LARGEST_LOOK = 2**22  # bytes of a text whose tokens are counted while a config is checked
_Into = TypeVar("_Into", Tokens, Count)
TASKS: tuple[Task, ...] = ("classification", "sequence")


def look(arguments: Mapping[str, Any], tokenizer: Tokenizer, form: Form) -> dict[str, int] | None:
    """Count the tokens of each split; None where a file is too large. Raises Wrong at the argument at fault."""
    paths = _paths(arguments)
    if any(_size(path) > _LARGEST_LOOK for path in paths.values()):
        return None
    return {split: _filled(Count(tokenizer), split, path, arguments, form).total for split, path in paths.items()}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading tells it


def _paths(arguments: Mapping[str, Any]) -> dict[str, Path]:
    return {split: Path(arguments[key]) for split, key in SPLITS.items() if arguments.get(key) is not None}


def _filled(into: _Into, split: str, path: Path, arguments: Mapping[str, Any], form: Form) -> _Into:
    """Read a text into tokens or their count. Raises Wrong if it is none, or has less than a window."""
    try:
        for part in parts_of(path, arguments["encoding"], words=arguments["split"] != "character"):
            into.add([part])
    except Wrong as wrong:
        argument = SPLITS[split] if wrong.argument == "path" else wrong.argument
        raise Wrong(argument, str(wrong), wrong.hint) from None
    needed = form.output_sequence_length + 1
    if into.total < needed:
        message = f"{path} has {into.total:,} tokens, and a window with its next token has {needed:,}"
        raise Wrong(SPLITS[split], message, "write a smaller `output_sequence_length`")
    return into


def _windows(tokens: int, form: Form, arguments: Mapping[str, Any]) -> int:
    return (tokens - form.output_sequence_length - 1) // int(arguments["sequence_stride"]) + 1


def facts(found: Mapping[str, int], arguments: Mapping[str, Any], task: Task, form: Form) -> Facts:
    """Return what the texts say; the classes are the places of the vocabulary, whose tokens are learnt later."""
    counts = {split: _windows(tokens, form, arguments) for split, tokens in found.items()}
    return Facts(
        name="text",
        task=task,
        shape=form.shape,
        class_names=class_names(form.specials, form),
        units=(),
        train=counts["train"],
        test=counts.get("test", 0),
        unit_range=False,
        validation=counts.get("validation", 0),
        target_shape=form.shape if task == "sequence" else (),
        whole=True,
        lowest=0.0,
        highest=form.max_tokens - 1.0,
    )


def read(arguments: Mapping[str, Any], task: Task, tokenizer: Tokenizer, form: Form) -> RawDataset:
    """Read the texts whole. Raises DataError if they are damaged or too short."""
    import numpy as np

    from dltrain.data.arrays import Division, RawDataset, Split
    from dltrain.data.text.ragged import Ragged

    vocabulary, length, splits = Words(), form.output_sequence_length, {}
    try:
        found = {
            split: _filled(Tokens(tokenizer, vocabulary), split, path, arguments, form)
            for split, path in _paths(arguments).items()
        }
    except Wrong as wrong:
        raise DataError(str(wrong), wrong.hint) from None
    for split, tokens in found.items():
        starts = np.arange(_windows(tokens.total, form, arguments)) * int(arguments["sequence_stride"])
        codes = np.frombuffer(tokens.codes, np.intc)
        splits[split] = Split(Ragged(codes, starts, starts + length), codes[starts + length])
    counts = {split: tokens.total for split, tokens in found.items()}
    known, words = facts(counts, arguments, task, form), vocabulary.names

    def learn(training: Split, learnt: Mapping[str, Any] | None) -> Prepared:
        return _prepared(known, form, words, training, learnt)

    train = splits["train"]
    test = splits.get("test", train.take(np.empty(0, np.int64)))
    by_time = Division(times=train.x.starts, gap=length)
    return RawDataset(known, 1.0, train, test, splits.get("validation"), division=by_time, learn=learn)


def _prepared(
    known: Facts, form: Form, words: list[str], training: Split, learnt: Mapping[str, Any] | None
) -> Prepared:
    """Learn from the training windows, each token of the text counted once."""
    import numpy as np

    from dltrain.data.arrays import Prepared
    from dltrain.data.text.preparing import learnt_json
    from dltrain.data.text.vocabulary import Vocabulary, learn_vocabulary

    if learnt is not None:
        vocabulary = Vocabulary.from_json(form, learnt)
    else:
        size = len(training.x.codes)
        edges = np.bincount(training.x.starts, minlength=size + 1) - np.bincount(
            training.x.ends + 1, minlength=size + 1
        )
        counts = np.bincount(training.x.codes[np.cumsum(edges)[:size] > 0], minlength=len(words))
        vocabulary = learn_vocabulary(form, counts, words)
    read, numbers = vocabulary.reading(words)
    facts = replace(known, class_names=class_names(vocabulary.names, form))
    notes = []
    if (there := len(vocabulary.names)) < form.max_tokens:
        notes.append(f"the training split has {there - 2:,} different tokens: `max_tokens: {there}` is enough")
    return Prepared(
        facts, lambda split: _applied(read(split.x), form, numbers, known.task), learnt_json(vocabulary), tuple(notes)
    )


def _applied(windows: Ragged, form: Form, numbers: np.ndarray, task: Task) -> Split:
    """Return windows as the numbers of their tokens, and the number of the next token, or of that behind each."""
    import numpy as np

    from dltrain.data.arrays import Split
    from dltrain.data.text.preparing import made

    texts, steps = numbers[windows.codes], np.arange(form.output_sequence_length)
    starts = windows.starts
    shape = (len(starts), len(steps))
    x = made(shape, np.int32, lambda rows: texts[starts[rows][:, None] + steps])
    if task == "sequence":
        y = made(shape, np.int64, lambda rows: texts[starts[rows][:, None] + steps + 1].astype(np.int64))
        return Split(x, y)
    return Split(x, texts[starts + len(steps)].astype(np.int64))


def class_names(tokens: Sequence[str], form: Form) -> tuple[str, ...]:
    """Return a name that can be printed for each place of a vocabulary, such as `\\n` for the end of a line.

    Places without a token have one that is no token.
    """
    names = tuple(ascii(name)[1:-1] if not name.isprintable() else name for name in tokens)
    names = names if len(set(names)) == len(names) else tuple(tokens)
    return (*names, *(f"token {place}" for place in range(len(names), form.max_tokens)))
