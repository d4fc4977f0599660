from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
import torch
from accelerate.state import AcceleratorState
from torch import Generator, Tensor, nn

from convsight.errors import InputError
from convsight.image import model
from convsight.network import Network, load, save
from convsight.optimizers import adamw
from convsight.training import Batches, Plan, accelerator_on, shuffled, train

IMAGES = torch.randint(0, 256, (90, 28, 28), generator=Generator().manual_seed(2)).byte()
LABELS = torch.arange(90) % 10
OPTIMIZER = adamw(1e-3, weight_decay=0.01)


def batches(seed: int = 0) -> Batches:
    return shuffled((IMAGES, LABELS), batch=16, seed=seed, change=model.distorted_and_labels)


def trained(steps: int = 12, **options: object) -> Network:
    network = model.untrained(seed=1)
    train(network, batches(), model.loss, steps=steps, optimizer=OPTIMIZER, device="cpu", **options)
    return network


def same(first: Network, second: Network) -> bool:
    pairs = zip(first.module.state_dict().values(), second.module.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_the_loss_falls_and_the_network_is_left_for_use() -> None:
    network = model.untrained(seed=1)
    losses: list[float] = []
    same_batch: Batches = lambda step: iter([(IMAGES[:20, None].float() / 255, LABELS[:20])] * (100 - step))  # noqa: E731
    train(
        network, same_batch, model.loss, steps=100, optimizer=OPTIMIZER, device="cpu",
        on_step=lambda _step, loss: losses.append(loss),
    )  # fmt: skip
    assert losses[0] == pytest.approx(2.3, abs=0.2)  # log 10: nothing is known
    assert losses[-1] < 0.3
    assert not network.module.training


def test_gradients_come_to_relu_as_its_input_lay_and_nothing_stays_behind() -> None:
    network = model.untrained(seed=1)
    relu = nn.ReLU()
    network = replace(network, module=nn.Sequential(nn.Conv2d(1, 6, 5), relu, nn.Flatten(), nn.Linear(6 * 24 * 24, 10)))
    came: list[Tensor] = []
    seen = relu.register_full_backward_hook(lambda _module, _inputs, outputs: came.append(outputs[0]))
    train(network, batches(), model.loss, steps=2, optimizer=OPTIMIZER, device="cpu")
    seen.remove()
    assert [each.is_contiguous(memory_format=torch.channels_last) for each in came] == [True, True]
    assert not any(each._forward_pre_hooks for each in network.module.modules())


def test_a_seed_gives_the_same_network_again() -> None:
    assert same(trained(), trained())


def test_training_goes_on_where_it_was_interrupted_exactly() -> None:
    checkpoint = Path("here.checkpoint")

    def interrupt(step: int, _loss: float) -> None:
        if step >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(30, checkpoint=checkpoint, checkpoint_seconds=0.0, on_step=interrupt)
    assert checkpoint.exists()
    again = trained(30, checkpoint=checkpoint)
    assert same(again, trained(30))
    assert not checkpoint.exists()


class Dropping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(28 * 28, 10)

    def forward(self, given: Tensor) -> Tensor:
        return self.fc(self.dropout(given.flatten(1)))


def test_training_with_dropout_goes_on_exactly_too() -> None:
    def run(*, stop: bool) -> Network:
        torch.manual_seed(3)
        network = Network(Dropping(), model.INPUT)

        def interrupt(step: int, _loss: float) -> None:
            if stop and step >= 20:
                raise KeyboardInterrupt

        train(
            network, batches(), model.loss, steps=30, optimizer=OPTIMIZER, device="cpu", on_step=interrupt,
            checkpoint=Path("here.checkpoint"), checkpoint_seconds=0.0,
        )  # fmt: skip
        return network

    with pytest.raises(KeyboardInterrupt):
        run(stop=True)
    resumed = run(stop=False)
    assert same(resumed, run(stop=False))


def test_the_users_module_is_not_wrapped_and_gives_what_its_file_gives() -> None:
    network = trained()
    assert "forward" not in vars(network.module)
    save(network, "mine.safetensors")
    given = IMAGES[:5, None].float() / 255
    torch.testing.assert_close(network(given), load("mine.safetensors")(given))


def test_a_device_by_number_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="choose GPUs with CUDA_VISIBLE_DEVICES"):
        train(model.untrained(), batches(), model.loss, steps=1, optimizer=OPTIMIZER, device="cuda:1")


def test_a_checkpoint_of_another_training_is_refused() -> None:
    def interrupt(step: int, _loss: float) -> None:
        if step >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(30, checkpoint=Path("other.checkpoint"), checkpoint_seconds=0.0, on_step=interrupt, settings={"seed": 0})
    for steps, seed, message in ((12, 0, "steps 30, not 12"), (30, 5, "seed 0, not 5")):
        with pytest.raises(InputError, match=f"other.checkpoint is of a training with {message}; remove it"):
            trained(steps, checkpoint=Path("other.checkpoint"), settings={"seed": seed})
    Path("other.checkpoint").write_bytes(b"no checkpoint")
    with pytest.raises(InputError, match="is no checkpoint of this training"):
        trained(checkpoint=Path("other.checkpoint"))


def test_an_interruption_is_kept_after_its_step(request: pytest.FixtureRequest) -> None:
    """Ctrl-C within a step, not long after the start: nothing is lost, and what follows is as if it had not come."""
    request.addfinalizer(partial(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    checkpoint, drawn = Path("here.checkpoint"), []

    def interrupted(step: int) -> Iterator[tuple[Tensor, Tensor]]:
        for number, batch in enumerate(batches()(step), start=step):
            drawn.append(number)
            if number == 7 and len(drawn) == 8:
                os.kill(os.getpid(), signal.SIGINT)
            yield batch

    def run(made: Network) -> None:
        train(made, interrupted, model.loss, steps=12, optimizer=OPTIMIZER, device="cpu", checkpoint=checkpoint)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(model.untrained(seed=1))
    assert drawn == list(range(8)) and checkpoint.exists() and signal.getsignal(signal.SIGINT) is before
    network = model.untrained(seed=1)
    run(network)
    assert drawn[8:] == list(range(8, 12)) and same(network, trained(12)) and not checkpoint.exists()


def test_a_device_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match='there is no device "cuda" here'):
        train(model.untrained(seed=1), batches(), model.loss, steps=1, optimizer=OPTIMIZER, device="cuda")


def test_every_epoch_takes_every_sample_once_in_another_order() -> None:
    plain = shuffled((IMAGES, torch.arange(90)), batch=15, seed=0, change=lambda images, numbers, _: (images, numbers))
    taken = [targets for (_, targets), _ in zip(plain(0), range(12), strict=False)]
    first, second = torch.cat(taken[:6]), torch.cat(taken[6:])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(90))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("count", [3000, 3007, 7])
def test_with_lengths_samples_of_similar_length_come_together_and_each_once(count: int) -> None:
    lengths = torch.randint(1, 60, (count,), generator=Generator().manual_seed(0))

    def epoch(lengths: Tensor | None) -> list[Tensor]:
        plain = shuffled(
            (torch.arange(count), LABELS[:1].expand(count)), batch=10, seed=0, change=lambda *both: both[:2], lengths=lengths
        )
        return [numbers for (numbers, _), _ in zip(plain(0), range(max(1, count // 10)), strict=False)]

    together, apart = epoch(lengths), epoch(None)
    assert sorted(torch.cat(together).tolist()) == sorted(torch.cat(apart).tolist())
    if count > 100:
        padding, random_padding = (sum(int(lengths[each].max() * 10 - lengths[each].sum()) for each in all_)
                                   for all_ in (together, apart))  # fmt: skip
        assert padding < random_padding / 4
        longest = [int(lengths[each].max()) for each in together]
        assert longest != sorted(longest) and longest[:150] != longest[150:]


def test_the_last_incomplete_batch_is_another_every_epoch() -> None:
    plain = shuffled((IMAGES, torch.arange(90)), batch=16, seed=0, change=lambda images, numbers, _: (images, numbers))
    taken = [targets for (_, targets), _ in zip(plain(0), range(15), strict=False)]
    epochs = [set(torch.cat(taken[start : start + 5]).tolist()) for start in (0, 5, 10)]
    assert [len(each) for each in epochs] == [80, 80, 80]
    assert set.union(*epochs) == set(range(90))


def test_batches_from_a_later_step_are_those_that_would_have_come() -> None:
    whole = [inputs for (inputs, _), _ in zip(batches()(0), range(9), strict=False)]
    later = [inputs for (inputs, _), _ in zip(batches()(4), range(5), strict=False)]
    assert all(torch.equal(one, other) for one, other in zip(whole[4:], later, strict=True))
    assert not torch.equal(whole[0], next(iter(batches(seed=1)(0)))[0])


def test_a_loss_that_becomes_undefined_is_said_so() -> None:
    def broken(output: Tensor, _labels: Tensor) -> Tensor:
        return output.sum(1) * torch.nan

    with pytest.raises(InputError, match="the loss became infinite or undefined"):
        train(model.untrained(), batches(), broken, steps=3, optimizer=OPTIMIZER, device="cpu")


def test_a_plan_counts_its_steps() -> None:
    plan = Plan(epochs=3, batch=16, optimizer=OPTIMIZER)
    assert plan.steps(90) == 15
    assert replace(plan, batch=200).steps(90) == 3


@pytest.mark.slow
def test_two_processes_train_the_network_that_one_does() -> None:
    """Each takes half of every batch, and the gradients are averaged: up to rounding, the same steps."""
    Path("job.py").write_text(
        "from convsight.image import model\n"
        "from convsight.network import save\n"
        "from convsight.training import is_main_process, shuffled, train\n"
        "from convsight.optimizers import adam\n"
        "import torch\n"
        "from convsight import training\n"
        "training.fastest = lambda device: torch.float32\n"
        "images = torch.randint(0, 256, (64, 28, 28), generator=torch.Generator().manual_seed(2)).byte()\n"
        "network = model.untrained(seed=1)\n"
        "batches = shuffled((images, torch.arange(64) % 10), batch=16, seed=0, change=model.distorted_and_labels)\n"
        "train(network, batches, model.loss, steps=8, optimizer=adam(1e-3), device='cpu')\n"
        "import torch.distributed as d\n"
        "if is_main_process(): save(network, f'trained-{d.get_world_size() if d.is_initialized() else 1}.safetensors')\n"
    )
    for processes in ("1", "2"):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", processes, "job.py"]
        subprocess.run(command, check=True, capture_output=True, timeout=200)
    one, two = (load(f"trained-{count}.safetensors").module.state_dict() for count in (1, 2))
    for name, values in one.items():
        torch.testing.assert_close(two[name], values, atol=2e-4, rtol=1e-3)


def test_threads_that_begin_to_train_together_have_all_of_accelerate() -> None:
    """Its state is one for the process; while a thread makes it, others must not find half of it."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            AcceleratorState._reset_state(reset_partial_state=True)  # type: ignore[no-untyped-call]
            together = Barrier(4)

            def begun(_: int, together: Barrier = together) -> tuple[str, int]:
                together.wait()
                accelerator = accelerator_on("cpu")
                return str(accelerator.device), accelerator.num_processes

            with ThreadPoolExecutor(4) as threads:
                assert {*threads.map(begun, range(4))} == {("cpu", 1)}
    finally:
        sys.setswitchinterval(interval)
