"""Self-play on all cores: finished games a second of the networks that ship, with rules, encoding, network and chance games.

Also how one fares against the other when both are drawn from more sharply (temperature 0.25): what self-play gives beyond
being surer.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from convsight import Network, load
from convsight.cores import cores
from convsight.go.duel import duel
from convsight.go.match import wilson

SHARP = 0.25


def speed(network: Network, games: int, rounds: int) -> str:
    """A row: games a second, and how long they were."""
    duel(network, network, 2)
    rates, lengths = [], []
    for seed in range(rounds):
        started = perf_counter()
        played = duel(network, network, games, seed=seed)
        rates.append(games / (perf_counter() - started))
        lengths.append(len(played.moves.points) / games)
    spread = f"{min(rates):.2f} to {max(rates):.2f}"
    return f"| {network.name} | {median(rates):.2f} | {spread} | {np.mean(lengths):.0f} |"


def sharper(first: Network, second: Network, games: int) -> str:
    """A row: games that `first` wins when both play more sharply."""

    played = duel(first, second, games, temperature=SHARP, resign=False, seed=1)
    low, high = wilson(played.wins, games)
    return f"| {first.name} against {second.name} | {played.wins:g} of {games} | {low:.0%} to {high:.0%} |"


def main() -> None:
    """Measure, and write two tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--judged", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("go_selfplay.md"))
    options = parser.parse_args()
    networks = {name: load(name) for name in ("go9", "go9_rl", "go", "go_rl")}
    lines = [f"| games on {cores()} cores | finished a second | least and most | moves |", "|---|---|---|---|"]
    for network in networks.values():
        lines.append(speed(network, options.games * (4 if network.input.shape[1] == 9 else 1), options.rounds))
        print(lines[-1], flush=True)
    lines += ["", f"| drawn at temperature {SHARP} | won | with 95% confidence |", "|---|---|---|"]
    for first, second in (("go9_rl", "go9"), ("go_rl", "go")):
        lines.append(sharper(networks[first], networks[second], options.judged))
        print(lines[-1], flush=True)
    options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
