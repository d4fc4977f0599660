"""Kim's network as a declaration, its loss, how it is trained, as data, and the classifier that comes of it.

A sentence is a picture, words across and their vectors down. A filter spans a vector whole, since its numbers have no order,
and slides along time; the maximum over time says whether what it looks for is anywhere. Source: Kim 2014, "Convolutional neural
networks for sentence classification".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast, get_args

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Generator, Tensor, nn

from convsight.architecture import WHOLE, Architecture, Convolution, build
from convsight.assets import digest
from convsight.errors import InputError
from convsight.input_spec import InputSpec
from convsight.network import Network, load_with_encoder, save
from convsight.optimizers import adamw
from convsight.text.encode import PADDING, TOKENISERS, UNKNOWN, Vocabulary, of_similar_length, padded, vocabulary
from convsight.text.slots import Slots, logits, slots_of
from convsight.text.vectors import Vectors, VectorSource
from convsight.training import Batches, Plan, Settings, shuffled, train

Embeddings = Literal["rand", "static", "non-static", "multichannel"]
PLAN = Plan(epochs=4, batch=50, optimizer=adamw(2e-3, weight_decay=1e-2))
LONGEST_NORM = 3.0
LEARNT_WORDS = 2_000
_LENGTH = 56  # of the longest sentence of MR; others may be longer
_SPREAD = 0.25


def kims(*, width: int = 300, classes: int = 2, channels: int = 1) -> Architecture:
    """100 filters each of 3, 4 and 5 words, the maximum of each over time, dropout, and a number a class.

    `width`: how many numbers a word has; `channels`: how many vectors.
    """
    return Architecture(
        channels=channels,
        axes={"embedding": width, "time": _LENGTH},
        convolutions=tuple(Convolution(100, slides={"time": each}, pools={"time": WHOLE}, padded="wide") for each in (3, 4, 5)),
        fully_connected=(),
        outputs=classes,
        side_by_side=True,
        dropout=0.5,
    )


@dataclass(frozen=True)
class Classifier:
    """A network with the words that it knows.

    `tables`: for each of its channels the words' vectors, (V, D) float32. `embeddings`: which of Kim's variants it learns as.
    """

    network: Network
    vocabulary: Vocabulary
    tables: tuple[Tensor, ...]
    embeddings: Embeddings = "rand"

    @cached_property
    def slots(self) -> Slots:
        """What each word adds to each filter at each place under it."""
        return slots_of(self.network.module, self.tables)

    def __getstate__(self) -> dict[str, Any]:
        """Without the slots, which are made of the rest."""
        return {name: each for name, each in self.__dict__.items() if name != "slots"}

    def embedded(self, sentences: Sequence[Sequence[int]]) -> Tensor:
        """The pictures (B, channels, D, T) of sentences of numbers of words, which `network` takes."""
        numbers = padded(sentences)[:, 0, 0].long()
        return torch.stack([table[numbers].transpose(1, 2) for table in self.tables], 1)

    def logits(self, texts: Sequence[str], *, batch: int = 512) -> Tensor:
        """(N, classes); a text's numbers are the same to the bit whatever it is classified with.

        Raises InputError if `texts` is one text.
        """
        if isinstance(texts, str):
            raise InputError("give a sequence of texts, not one text")
        sentences = [self.vocabulary.numbers(each) for each in texts]
        answers = torch.zeros(len(texts), len(self.network.labels))
        for some in of_similar_length(sentences, batch):
            numbers = padded([sentences[each] for each in some])[:, 0, 0].long()
            answers[some] = logits(self.slots, numbers)
        return answers

    def probabilities(self, texts: Sequence[str]) -> Tensor:
        """(N, classes), each row adding up to 1."""
        return self.logits(texts).softmax(1)


class Words(nn.Module):
    """Numbers of words (B, 1, 1, T) to the picture of their vectors (B, channels, D, T); padding is zero, and stays it."""

    def __init__(self, tables: Sequence[Tensor], tuned: Sequence[bool]) -> None:
        """`tables`: (V, D) each; those that are `tuned` are learnt on."""
        super().__init__()
        self.tables = nn.ParameterList(
            nn.Parameter(table.clone(), requires_grad=tune) for table, tune in zip(tables, tuned, strict=True)
        )

    def forward(self, numbers: Tensor) -> Tensor:
        which = numbers[:, 0, 0].long()
        pictures = [F.embedding(which, table, padding_idx=PADDING) for table in self.tables]
        return torch.stack(pictures, 1).transpose(2, 3)


def untrained_for(
    texts: Sequence[str], labels: Sequence[str], *, tokeniser: str = "english", vectors: VectorSource | None = None,
    others: Sequence[str] = (), most: int | None = None, embeddings: Embeddings | None = None, seed: int = 0,
) -> Classifier:  # fmt: skip
    """A network that knows the words of `texts`, to learn them, and with `vectors` those of `others` that have one.

    What is learnt of `texts` doesn't depend on `others`, if `vectors` doesn't scale what it gives by them.
    `most`: how many words at most, the frequent ones. `embeddings` is by default non-static with `vectors` and rand without.
    Raises InputError as `untrained` and `vectors` do, or if no text has a word.
    """
    kind = embeddings or ("rand" if vectors is None else "non-static")
    if kind == "rand" and vectors:
        raise InputError("rand begins without word vectors; give none, or choose static, non-static or multichannel")
    known = vocabulary(texts, tokeniser, most=most)
    if len(known) <= UNKNOWN + 1:
        raise InputError(f"no text has a word as the tokeniser {tokeniser} reads it; take {' or '.join(TOKENISERS)}")
    learnt, found = len(known), None
    if vectors:
        own = set(known.words)
        more = [word for word in vocabulary(others, tokeniser).words if word not in own]
        found = vectors([*known.words[UNKNOWN + 1 :], *more])
        room = None if most is None else most + UNKNOWN + 1 - learnt
        known = replace(known, words=(*known.words, *[word for word in more if word in found][:room]))
    return untrained(known, labels, embeddings=kind, vectors=found, seed=seed, learnt=learnt)


def untrained(
    vocabulary: Vocabulary, labels: Sequence[str], *, embeddings: Embeddings = "rand", vectors: Vectors | None = None,
    seed: int = 0, learnt: int | None = None,
) -> Classifier:  # fmt: skip
    """A network with weights drawn from `seed`; words that `vectors` lacks are drawn with the variance of the others.

    `learnt`: so many of the words, by default all, say what the mean and the variance are. `vectors` belong to the
    `embeddings` other than rand.
    Raises InputError if `embeddings` is none of those there are, or needs vectors and has none, or there is one label only.
    """
    if embeddings not in get_args(Embeddings):
        raise InputError(f'embeddings are {", ".join(get_args(Embeddings))}, not "{embeddings}"')
    if len(labels) < 2:
        raise InputError(f"there must be two classes at least, not {len(labels)}")
    if embeddings == "rand" and vectors:
        raise InputError("rand begins without word vectors")
    if embeddings != "rand" and not vectors:
        raise InputError(f"{embeddings} needs word vectors; none of them is of a word in these texts" if vectors == {} else
                         f"{embeddings} needs word vectors; give some, or take rand")  # fmt: skip
    table = first_vectors(vocabulary, vectors or {}, seed=seed, learnt=learnt)
    channels = 2 if embeddings == "multichannel" else 1
    architecture = kims(width=table.shape[1], classes=len(labels), channels=channels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build(architecture).eval()
    spec = InputSpec((channels, table.shape[1], _LENGTH), value_range=(-1.0, 1.0), axes=("embedding", "time"))
    network = Network(module, spec, tuple(labels), "text", {}, architecture)
    return Classifier(network, vocabulary, (table,) * channels, embeddings)


def first_vectors(
    vocabulary: Vocabulary, vectors: Vectors, *, width: int = 300, seed: int = 0, learnt: int | None = None
) -> Tensor:
    """(V, D) float32; of all words, or the first `learnt`, the mean is 0 and the deviation one.

    Padding, and any other word, is zero at first. Source: Kim 2014, section 3.2.
    """
    random = Generator().manual_seed(seed)
    known = [number for number, word in enumerate(vocabulary.words) if number > UNKNOWN and word in vectors]
    width = len(next(iter(vectors.values()))) if vectors else width
    limit = _SPREAD * 3**0.5
    table = torch.empty(len(vocabulary), width).uniform_(-limit, limit, generator=random)
    if known:
        given = torch.stack([torch.from_numpy(vectors[vocabulary.words[number]]) for number in known])
        own = sum(number < (learnt or len(vocabulary)) for number in known) or len(known)
        given -= given[:own].mean(0)
        table[known] = _SPREAD * given / given[:own].std().clamp_min(1e-12)
    table[[PADDING, UNKNOWN]] = 0
    return table


def fit(
    classifier: Classifier, texts: Sequence[str], labels: Sequence[int], *, plan: Plan = PLAN, seed: int = 0,
    device: str | None = None, checkpoint: Path | None = None, settings: Settings | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> Classifier:  # fmt: skip
    """A classifier that has learnt the `labels` of `texts`, numbers of classes; the one given stays as it is.

    A `checkpoint` is of these texts, labels and vectors only. `training.train` says the rest, and what raises InputError.
    """
    tuned_of = {"rand": (True,), "static": (False,), "non-static": (True,), "multichannel": (False, True)}
    tuned = tuned_of[classifier.embeddings]
    words, module = Words(classifier.tables, tuned), deepcopy(classifier.network.module)
    output = module.get_submodule("output")
    whole = replace(
        classifier.network,
        module=nn.Sequential(words, module),
        input=InputSpec((1, 1, _LENGTH), value_range=(0.0, float(len(classifier.vocabulary)))),
    )
    sentences = [classifier.vocabulary.numbers(each) for each in texts]
    held = output.register_forward_pre_hook(_within_norm)
    with torch.random.fork_rng():
        torch.manual_seed(seed)  # dropout draws from there
        train(
            whole,
            batches(sentences, labels, batch=plan.batch, seed=seed),
            loss,
            steps=plan.steps(len(texts)),
            optimizer=plan.optimizer,
            schedule=plan.schedule,
            device=device,
            checkpoint=checkpoint,
            settings={**(settings or {}), "content": _content(classifier, texts, labels)} if checkpoint else None,
            on_step=on_step,
        )
    held.remove()
    _within_norm(output)
    tables = tuple(table.detach().cpu() for table in words.tables)
    return replace(classifier, network=replace(classifier.network, module=module.cpu()), tables=tables)


def count_right(classifier: Classifier, texts: Sequence[str], labels: Sequence[int]) -> int:
    """How many of `texts` the network gives their label, the number of a class."""
    return int((classifier.logits(texts).argmax(1) == torch.tensor(labels)).sum())


def loss(output: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of each sample, (B,); `output`: (B, classes) before softmax, `labels`: (B,) int64."""
    return F.cross_entropy(output, labels, reduction="none")


def batches(sentences: Sequence[Sequence[int]], labels: Sequence[int], *, batch: int, seed: int) -> Batches:
    """Sentences of similar length together, of each the first `LEARNT_WORDS`."""

    def change(chosen: Tensor, targets: Tensor, _: Generator) -> tuple[Tensor, Tensor]:
        return padded([sentences[each][:LEARNT_WORDS] for each in chosen.tolist()]), targets

    lengths = torch.tensor([len(each) for each in sentences])
    samples = (torch.arange(len(sentences)), torch.tensor(labels))
    return shuffled(samples, batch=batch, seed=seed, change=change, lengths=lengths)


def save_classifier(classifier: Classifier, path: Path) -> None:
    """Write network and words to one file; vectors in half precision. Raises InputError as `network.save` does."""
    tables = {f"words{place}": table.half() for place, table in enumerate(classifier.tables)}
    vocabulary = classifier.vocabulary
    settings = {
        "words": list(vocabulary.words), "tokeniser": vocabulary.tokeniser, "embeddings": classifier.embeddings,
        "vectors": digest(tables),
    }  # fmt: skip
    save(classifier.network, path, tables, settings)


def load_classifier(spec: str) -> Classifier:
    """The classifier in a file that `save_classifier` wrote.

    Raises InputError as `network.load` does, or if the file holds a network that has no words.
    """
    network, tables, settings = load_with_encoder(spec)
    words, tokeniser, embeddings = (settings.get(each) for each in ("words", "tokeniser", "embeddings"))
    if not isinstance(words, list) or f"{tokeniser}" not in TOKENISERS or embeddings not in get_args(Embeddings):
        raise InputError(f"{spec} is no network for text: it knows no words")
    ordered = tuple(tables[name].float() for name in sorted(tables))
    shape = (len(words), network.input.shape[1])
    if "vectors" not in settings:
        raise InputError(f"{spec} is of an earlier version, whose files don't say what their vectors were; train it anew")
    known = len(ordered) == network.input.shape[0] and all(each.shape == shape for each in ordered)
    if not known or settings["vectors"] != digest(tables):
        raise InputError(f"{spec}: its vectors are not those that its network was trained on")
    return Classifier(network, Vocabulary(tuple(map(str, words)), str(tokeniser)), ordered, cast("Embeddings", embeddings))


def _content(classifier: Classifier, texts: Sequence[str], labels: Sequence[int]) -> str:
    samples = torch.frombuffer(bytearray(repr((list(texts), list(labels))).encode()), dtype=torch.uint8)
    return digest({"samples": samples, **{f"words{place}": table for place, table in enumerate(classifier.tables)}})


def _within_norm(output: nn.Module, _given: object = None) -> None:
    """Kim's constraint: no class weighs the features with a norm of more than 3."""
    weight = output.get_parameter("weight")
    with torch.no_grad():
        weight.copy_(torch.renorm(weight, 2, 0, LONGEST_NORM))
