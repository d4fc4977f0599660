"""Idea 1's mirror: the input is fixed, the network is the parameter.

`visualize.py` moves an input to what fixed parameters like best; here parameters are moved to what fixed inputs ask for.
One loop serves every application. Started by `torchrun` or `accelerate launch`, it trains
on several GPUs or machines.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from threading import Lock, current_thread, main_thread
from time import monotonic
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import gather_object
from torch import Generator, Tensor, nn

from convsight.errors import InputError
from convsight.files import written_whole
from convsight.network import Network
from convsight.optimizers import MakeOptimizer, Schedule, follow, one_cycle
from convsight.precision import autocast, best_device, channels_last, fastest

Batches = Callable[[int], Iterable[tuple[Tensor, Tensor]]]
Loss = Callable[[Tensor, Tensor], Tensor]
Settings = Mapping[str, str | int]
_SORTED_TOGETHER = 20  # batches
_STARTING = Lock()  # accelerate keeps one state for all threads, and another may find it half made


@dataclass(frozen=True)
class Plan:
    """How to train, as data: passes over the samples, samples a step, what moves the weights, how fast when."""

    epochs: int
    batch: int
    optimizer: MakeOptimizer
    schedule: Schedule = one_cycle

    def steps(self, samples: int) -> int:
        return self.epochs * max(1, samples // self.batch)


def train(
    network: Network,
    batches: Batches,
    loss: Loss,
    *,
    steps: int,
    optimizer: MakeOptimizer,
    schedule: Schedule = one_cycle,
    device: str | None = None,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 30.0,
    settings: Settings | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> None:
    """Move the parameters of `network.module`, in place, against the mean of `loss(output, targets)`, float32 (B,).

    `batches(step)` yields the batches from that step on: inputs (B, C, H, W) of any type in the network's value range, and
    targets.
    Each of several processes takes its share of every batch. `device`: "cpu", "cuda" or "mps", or None for the best there
    is; of several GPUs, each process takes its own.
    `checkpoint`: a file that is written every so many seconds and at an interruption (Ctrl-C), from which a later call with
    the same arguments goes on exactly; it is removed at the end. `settings`: what else makes this training what it is, such as
    its seed and data, kept with the checkpoint. `on_step(step, loss)` is called now and then, and after the last step.

    Raises InputError if there is no such device, the loss becomes undefined, the checkpoint is of another training, or not all
    processes see it.
    """
    accelerator = accelerator_on(device)
    precision = fastest(accelerator.device)
    whole: Settings = {"steps": steps, **(settings or {})}
    module = network.module.train().to(accelerator.device).to(memory_format=torch.channels_last)
    climb = optimizer(module.parameters())  # the network is the parameter
    first = _resume(checkpoint, module, climb, whole) if checkpoint else 0
    check_same_everywhere(checkpoint, first)
    vars(module).pop("_is_accelerate_prepared", None)  # of an earlier training: it would stay on its device
    together = accelerator.num_processes > 1
    parallel, climb = accelerator.prepare(module, climb) if together else (module, climb)
    saved = monotonic()
    with _asked_to_stop(checkpoint) as asked, _gradients_laid_out(module):
        for step, (inputs, targets) in zip(range(first, steps), batches(first), strict=False):
            follow(schedule, climb, step / steps)
            share = slice(accelerator.process_index, None, accelerator.num_processes)
            inputs, targets = (_moved(each[share], accelerator.device) for each in (inputs, targets))
            climb.zero_grad()
            with autocast(accelerator.device, precision):
                output = parallel(network.input.normalise(inputs.float()).contiguous(memory_format=torch.channels_last))
            value = loss(output.float(), targets).mean()
            if together:
                accelerator.backward(value)
            else:
                value.backward()  # type: ignore[no-untyped-call]
            climb.step()
            if step % 20 == 0 or step == steps - 1:
                current = _finite(accelerator.reduce(value.detach(), "mean"))
                if on_step is not None:
                    on_step(step, current)
            if checkpoint and accelerator.is_main_process and (asked or monotonic() - saved > checkpoint_seconds):
                _save(checkpoint, module, climb, step + 1, whole)
                saved = monotonic()
            if asked:
                raise KeyboardInterrupt
    if checkpoint and accelerator.is_main_process:
        checkpoint.unlink(missing_ok=True)
    module.eval()


@contextmanager
def _gradients_laid_out(module: nn.Module) -> Iterator[None]:
    """Gradients come back from flattening with their channels adjacent, as what went in: ReLU takes four times as long else."""

    def lay_out(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if inputs[0].requires_grad and min(inputs[0].shape[2:], default=1) > 1:
            inputs[0].register_hook(channels_last)  # type: ignore[no-untyped-call]

    hooks = [each.register_forward_pre_hook(lay_out) for each in module.modules() if isinstance(each, nn.Flatten)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def accelerator_on(device: str | None) -> Accelerator:
    """What trains on "cpu", "cuda" or "mps", or on the best there is.

    Raises InputError if there is no such device, or this process has trained on another.
    """
    device = device or best_device()
    if device not in ("cpu", "cuda", "mps"):
        raise InputError(f'training runs on "cpu", "cuda" or "mps", not on "{device}"; choose GPUs with CUDA_VISIBLE_DEVICES')
    if (device == "cuda" and not torch.cuda.is_available()) or (device == "mps" and not torch.backends.mps.is_available()):
        raise InputError(f'there is no device "{device}" here, or torch cannot use it; leave it away to train on what there is')
    try:
        with _STARTING:
            return Accelerator(cpu=device == "cpu")
    except ValueError:  # accelerate keeps one device a process
        raise InputError(f'this process has trained on another device; train on "{device}" in a new one') from None


def is_main_process() -> bool:
    """Whether this process, of those that train together, is the one that reports and saves."""
    return bool(PartialState().is_main_process)


def shuffled(
    samples: Sequence[Tensor], *, batch: int, seed: int, change: Callable[..., tuple[Tensor, Tensor]],
    lengths: Tensor | None = None,
) -> Batches:  # fmt: skip
    """Batches over samples held in memory: every epoch in a new order, and `change` made to them.

    A last batch that would be smaller is left out; the next epoch's order leaves out others. `samples`: tensors (N, ...) of any
    type, such as inputs and targets; `change(*some_of_each, generator)` gives the inputs and targets that `train` takes. Order
    and changes depend on `seed` and the step alone, so a training that goes on sees what it would have seen. `lengths`: (N,);
    with them, samples of similar length come together, so that little is padding.
    """
    count = len(samples[0])
    per_epoch = max(1, count // batch)

    def batches(step: int) -> Iterable[tuple[Tensor, Tensor]]:
        while True:
            epoch, place = divmod(step, per_epoch)
            generator = _generator(seed, epoch)
            order = torch.randperm(count, generator=generator)
            if lengths is not None:
                order = _similar_together(order[: per_epoch * batch], lengths, batch, generator)
            for place in range(place, per_epoch):  # noqa: B020 (starts where the step is)
                chosen = order[place * batch : (place + 1) * batch]
                yield change(*(each[chosen] for each in samples), _generator(seed, epoch, place))
                step += 1

    return batches


def _similar_together(order: Tensor, lengths: Tensor, batch: int, generator: Generator) -> Tensor:
    """`order`, by length among every so many samples in a row, and its batches in a random order."""
    sorted_parts = [part[lengths[part].argsort()] for part in torch.split(order, _SORTED_TOGETHER * batch)]
    whole = torch.split(torch.cat(sorted_parts), batch)
    return torch.cat([whole[each] for each in torch.randperm(len(whole), generator=generator).tolist()])


def ahead(batches: Batches, count: int = 2) -> Batches:
    """The same batches, made by another thread while the network trains, up to `count` before they are asked for."""

    def made(step: int) -> Iterable[tuple[Tensor, Tensor]]:
        coming = iter(batches(step))
        with ThreadPoolExecutor(1) as thread:
            waiting = deque(thread.submit(next, coming, None) for _ in range(count))
            while (batch := waiting.popleft().result()) is not None:
                waiting.append(thread.submit(next, coming, None))
                yield batch

    return made


def _generator(*numbers: int) -> Generator:
    mixed = 0
    for number in numbers:
        mixed = (mixed * 1_000_003 + number + 1) % 2**63
    return Generator().manual_seed(mixed)


@contextmanager
def _asked_to_stop(checkpoint: Path | None) -> Iterator[list[int]]:
    """Within the block Ctrl-C is noted in the list, so that the step ends and is kept; a second one interrupts at once."""
    asked: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if checkpoint is None or not callable(before) or current_thread() is not main_thread():
        yield asked
        return

    def ask(number: int, _frame: object) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _moved(samples: Tensor, device: torch.device) -> Tensor:
    """`samples` on `device`; on the way to a GPU while it still computes."""
    return samples.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else samples.to(device)


def _finite(value: Tensor) -> float:
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        raise InputError("the loss became infinite or undefined; take a smaller learning rate")
    return number


def _save(path: Path, module: torch.nn.Module, climb: Any, step: int, settings: Settings) -> None:
    state = {
        "step": step, "settings": dict(settings), "module": module.state_dict(), "optimizer": climb.state_dict(),
        "random": torch.get_rng_state(), "random_cuda": torch.cuda.get_rng_state_all(),
    }  # fmt: skip
    with written_whole(path) as temporary:
        torch.save(state, temporary)


def _resume(path: Path, module: torch.nn.Module, climb: Any, settings: Settings) -> int:
    if not path.exists():
        return 0
    with opened_checkpoint(path, module, climb, settings, "a training", "this training") as state:
        torch.set_rng_state(state["random"])
        if len(state["random_cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(state["random_cuda"])
        return int(state["step"])


@contextmanager
def opened_checkpoint(
    path: Path, module: torch.nn.Module, climb: Any, settings: Settings, of: str, this: str
) -> Iterator[dict[str, Any]]:
    """What the checkpoint holds besides, for the block, once `module` and the optimizer `climb` stand where it was written.

    `of` and `this` name what goes on in sentences. Raises InputError if it has other settings, or isn't whole: if something
    is missing in the block, too.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        for name in settings.keys() | state["settings"].keys():
            theirs, ours = (str(each.get(name)) for each in (state["settings"], settings))
            if theirs != ours:
                raise InputError(f"{path} is of {of} with {name} {theirs}, not {ours}; remove it to begin anew")
        module.load_state_dict(state["module"])
        climb.load_state_dict(state["optimizer"])
        yield state
    except (InputError, torch.OutOfMemoryError):
        raise
    except (KeyError, ValueError, RuntimeError, TypeError, AttributeError, EOFError, OSError, UnpicklingError):
        raise InputError(f"{path} is no checkpoint of {this}; remove it to begin anew") from None


def check_same_everywhere(checkpoint: Path | None, first: int) -> None:
    """Raise InputError if the processes that train together don't all begin with the same step, `first`."""
    if len(set(gather_object([first]))) > 1:
        raise InputError(f"not all processes see the same {checkpoint}; put it on a disk that they share, or remove it")
