"""A recogniser: a network, and how likely phones follow one another; whole sounds, or sounds that come in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from convsight.architecture import Architecture
from convsight.assets import digest
from convsight.errors import InputError
from convsight.layers import FrameByFrame, Sectioned
from convsight.network import Network, load_with_encoder, save
from convsight.speech import decode, model
from convsight.speech.data import Corpus
from convsight.speech.encode import FeatureStream
from convsight.speech.segments import Segment
from convsight.training import Plan, Settings, train

_FIELD = "transitions"
_TOGETHER = 10  # frames: fewer are waited for, so that no time goes into single ones


@dataclass(frozen=True)
class Recogniser:
    """`network` tells phones frame by frame; `transitions`: (phones, phones), log chances of one frame to the next.

    `timed`: whether it has learnt when phones are spoken, or their strings only; `speakers`: whom it has learnt from.
    """

    network: Network
    transitions: Tensor
    timed: bool = True
    speakers: tuple[str, ...] = ()

    @property
    def phones(self) -> tuple[str, ...]:
        return self.network.labels

    @torch.no_grad()
    def answers(self, features: Tensor) -> Tensor:
        """(3, mels, T) to (T, phones): the log chance of each phone, frame by frame."""
        given = features[None].to(self.network.device)
        return self.network(given)[0].float().log_softmax(1).cpu()

    def path(self, features: Tensor) -> list[int]:
        """(3, mels, T) to T numbers of phones, the likeliest path."""
        return decode.path(self.answers(features), self.transitions)


class Answers:
    """`Recogniser.answers` of a sound that comes in pieces of any length.

    A network that needs the whole (its LSTM goes both ways, or it takes means over time) tells all at the end.
    """

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._frames = frames_of(recogniser.network)
        self._features = FeatureStream()
        self._waiting = torch.zeros(*recogniser.network.input.shape[:2], 0)
        self._begun = False
        self._state: tuple[Tensor, Tensor] | None = None
        self._kept: list[Tensor] | None = [] if self._frames.needs_the_whole else None
        self._nothing = torch.zeros(0, len(recogniser.phones))

    def push(self, samples: Tensor) -> Tensor:
        """The answers (n, phones), n from 0, that `samples`, (N,) in [-1, 1] at 16 kHz, make certain."""
        return self._heard(self._features.push(samples), last=False)

    def finish(self) -> Tensor:
        """The rest of the answers."""
        return self._heard(self._features.finish(), last=True)

    def _heard(self, features: Tensor, *, last: bool) -> Tensor:
        if self._kept is not None:
            self._kept.append(features)
            if not last:
                return self._nothing
            whole = torch.cat(self._kept, 2)
            return self._recogniser.answers(whole) if whole.shape[2] else self._nothing
        reach = self._frames.frames // 2
        if features.shape[2] and not self._begun:
            features = torch.cat([features[..., :1].expand(-1, -1, reach), features], 2)
            self._begun = True
        self._waiting = torch.cat([self._waiting, features], 2)
        if last and self._begun:
            self._waiting = torch.cat([self._waiting, self._waiting[..., -1:].expand(-1, -1, reach)], 2)
        if self._waiting.shape[2] < 2 * reach + (1 if last else _TOGETHER):
            return self._nothing
        given, self._waiting = self._waiting, self._waiting[..., self._waiting.shape[2] - 2 * reach :]
        return self._answers(given)

    @torch.no_grad()
    def _answers(self, features: Tensor) -> Tensor:
        network = self._recogniser.network
        told = self._frames.told(network.input.normalise(features[None].to(network.device)))
        output, self._state = self._frames.heard(told, self._state)
        for name, layer in network.module.named_children():
            output = output if name == "frames" else layer(output)
        return output[0].float().log_softmax(1).cpu()


class Stream:
    """Recognises a sound while it comes; what it tells is the same however the sound is cut."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._phones = recogniser.phones
        self._answers = Answers(recogniser)
        self._path = decode.Path(recogniser.transitions)
        self._told = 0
        self._open: list[Segment] = []

    def push(self, samples: Tensor) -> list[Segment]:
        """The segments that `samples`, (N,) in [-1, 1] at 16 kHz, make certain."""
        return self._cut(self._path.push(self._answers.push(samples)))

    def finish(self) -> list[Segment]:
        """The rest of the segments."""
        found = self._path.push(self._answers.finish()) + self._path.finish()
        return self._cut(found) + self._open

    def _cut(self, found: list[int]) -> list[Segment]:
        """Whole segments; the last stays open, since it may go on."""
        rows = decode.segments(found, self._phones, first=self._told)
        self._told += len(found)
        if rows and self._open and rows[0].phone == self._open[0].phone:
            rows[0] = Segment(self._open[0].start, rows[0].end, rows[0].phone)
        elif rows:
            rows = self._open + rows
        if rows:
            self._open = rows[-1:]
        return rows[:-1]


def answered(recogniser: Recogniser, pieces: Iterable[Tensor]) -> Iterator[Tensor]:
    """`Recogniser.answers` of a sound that comes in `pieces`, (N,) in [-1, 1] at 16 kHz each, piece by piece."""
    stream = Answers(recogniser)
    for each in pieces:
        yield stream.push(each)
    yield stream.finish()


def recognise(recogniser: Recogniser, pieces: Iterable[Tensor]) -> Iterator[Segment]:
    """The segments of a sound that comes in `pieces`, (N,) in [-1, 1] at 16 kHz each, as soon as they are certain."""
    stream = Stream(recogniser)
    for each in pieces:
        yield from stream.push(each)
    yield from stream.finish()


def fit(
    start: Recogniser, corpus: Corpus, *, ctc: bool = False, other_voices: bool = True, plan: Plan = model.PLAN, seed: int = 0,
    device: str | None = None, checkpoint: Path | None = None, on_step: Callable[[int, float], None] | None = None,
) -> Recogniser:  # fmt: skip
    """A recogniser that has learnt `corpus`, from the weights of `start`, which stays as it is.

    `ctc`: the strings of phones, not when they are; `other_voices`: `model.batches` varies them. `training.train` says the
    rest, and what raises InputError.
    """
    learning = deepcopy(start.network)
    settings: Settings = {"seed": seed, "ctc": ctc, "other_voices": other_voices, "batch": plan.batch}
    train(
        learning,
        model.batches(_given(learning, corpus), corpus.labels, batch=plan.batch, seed=seed, other_voices=other_voices),
        model.ctc_loss if ctc else model.loss,
        steps=plan.steps(len(corpus)),
        optimizer=plan.optimizer,
        schedule=plan.schedule,
        device=device,
        checkpoint=checkpoint,
        settings={**settings, "start": _of_start(start.network), "content": _content(corpus)} if checkpoint else None,
        on_step=on_step,
    )
    count = len(learning.labels)
    transitions = torch.zeros(count, count) if ctc else decode.transitions(corpus.labels, count)
    speakers = tuple(sorted({*start.speakers, *corpus.speakers}))
    return Recogniser(learning.to("cpu"), transitions, timed=not ctc, speakers=speakers)


def beginning(architecture: Architecture, corpus: Corpus, *, seed: int = 0) -> Recogniser:
    """A recogniser that has learnt nothing, whose network normalises its input as `corpus` asks for."""
    mean, std = corpus.statistics()
    network = model.untrained(architecture, seed=seed, mean=mean, std=std)
    return Recogniser(network, torch.zeros(len(network.labels), len(network.labels)))


def save_recogniser(recogniser: Recogniser, path: Path, card: dict[str, str] | None = None) -> None:
    """Write a recogniser to one file. Raises InputError as `network.save` does."""
    settings = {"timed": recogniser.timed, "speakers": list(recogniser.speakers)}
    save(replace(recogniser.network, card=card or {}), path, {_FIELD: recogniser.transitions}, settings)


def load_recogniser(spec: str) -> Recogniser:
    """The recogniser in a file that `save_recogniser` wrote.

    Raises InputError as `network.load` does, or if the file holds a network that recognises no phones.
    """
    network, tensors, settings = load_with_encoder(spec)
    found = tensors.get(_FIELD)
    if found is None or found.shape != (len(network.labels),) * 2:
        raise InputError(f"{spec} is no network for speech: it knows no phones that follow one another")
    frames_of(network)
    speakers = settings.get("speakers") or []
    timed = settings.get("timed") is not False
    return Recogniser(network, found, timed=timed, speakers=tuple(map(str, speakers)) if isinstance(speakers, list) else ())


def frames_of(network: Network) -> FrameByFrame:
    """The part of `network` that goes frame by frame. Raises InputError if it has none."""
    frames = dict(network.module.named_children()).get("frames")
    if not isinstance(frames, FrameByFrame):
        raise InputError(f"{network.name} is no network for speech: it does not go frame by frame")
    return frames


def check_timed(recogniser: Recogniser) -> None:
    """Raises InputError if `recogniser` doesn't know when phones are spoken."""
    if not recogniser.timed:
        raise InputError(
            f"{recogniser.network.name} has learnt strings of phones, not when they are spoken; take another network"
        )


def filters_of(network: Network) -> nn.Conv2d:
    """The first convolution of `network`. Raises InputError if it has none, or one with filters for each band of its own."""
    found = dict(frames_of(network).window.named_children()).get("conv1")
    if not isinstance(found, nn.Conv2d):
        raise InputError(f"{network.name} has no filters")
    if isinstance(found, Sectioned):
        raise InputError(
            f"in {network.name} each band of frequencies has filters of its own; none is the same along all of them"
        )
    return found


def _given(network: Network, corpus: Corpus) -> Sequence[Tensor]:
    """The utterances as `network` takes them in training."""
    if not frames_of(network).centred:
        return corpus.features
    mean = torch.tensor(network.input.mean).view(-1, 1, 1)
    return [each - each.mean(2, keepdim=True) + mean for each in corpus.features]


def _of_start(network: Network) -> str:
    spec = network.input
    return digest({**network.module.state_dict(), " mean": torch.tensor(spec.mean), " std": torch.tensor(spec.std)})


def _content(corpus: Corpus) -> str:
    return digest({"features": torch.cat(corpus.features, 2), "labels": torch.cat(corpus.labels)})
