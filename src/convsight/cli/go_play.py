"""`convsight go gtp`, `match`, `suggest` and `show`: what the network plays, and what it looks for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from convsight.cli.go_options import GoNetwork, game_file, go_network, read_games
from convsight.cli.options import Device, Seed
from convsight.cli.progress import progress
from convsight.cli.terminal import say, show_table
from convsight.errors import InputError
from convsight.files import check_ending, check_writable
from convsight.pictures import write_png
from convsight.precision import best_device


def gtp(
    network: GoNetwork = "go",
    temperature: Annotated[float, typer.Option(min=0, max=10, help="0: its first move; 1: as often as it expects.")] = 0.0,
    symmetric: Annotated[bool, typer.Option("--symmetric", help="Take the mean over the eight symmetries.")] = False,
    resign: Annotated[
        float, typer.Option(min=0, max=0.5, help="Give up when random games from there are won less often. 0: never.")
    ] = 0.0,
    superko: Annotated[bool, typer.Option("--superko", help="No position may come back (positional superko).")] = False,
    seed: Seed = 0,
    device: Device = None,
) -> None:
    """Play, as an engine that Go programs (Sabaki, Lizzie, GoGui) talk to over GTP on standard input and output.

    Example: convsight go gtp
    """
    from convsight.go.engine import Engine
    from convsight.go.gtp import serve
    from convsight.go.player import Player

    opened = go_network(network).to(device or best_device())
    opened.module.eval()
    player = Player(opened, temperature=temperature, symmetric=symmetric, resign=resign)
    serve(Engine(player, superko=superko, seed=seed), sys.stdin, sys.stdout)


def match(
    first: Annotated[str, typer.Argument(metavar="ENGINE_A", help="A command that starts a GTP engine, in quotes.")],
    second: Annotated[str, typer.Argument(metavar="ENGINE_B", help="Another; gnugo is short for GNU Go, level 10.")],
    games: Annotated[int, typer.Option("--games", "-n", min=1, help="How many; colours alternate.")] = 20,
    size: Annotated[int, typer.Option(min=5, max=19, help="Lines of the board.")] = 19,
    komi: Annotated[float, typer.Option(min=-1000, max=1000)] = 7.5,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long an engine may take for an answer.")] = 60.0,
    out: Annotated[Path, typer.Option(help="Folder for the records of the games.")] = Path("match"),
) -> None:
    """Let two engines play, area rules, with GNU Go as referee.

    Example: convsight go match "convsight go gtp" gnugo -n 60
    """
    from convsight.go import match as matches

    check_writable(out / "0001.sgf")
    commands = [f"{matches.gnu_go()} --level 10" if each == "gnugo" else each for each in (first, second)]
    with progress("playing", games, left=lambda: f"the games so far are in {out}") as done:
        tally = matches.match(
            commands[0], commands[1], games, size=size, komi=komi, seconds=seconds, folder=out,
            on_game=lambda count, tally: done(count, f"{tally.wins} won"),
        )  # fmt: skip
    low, high = tally.interval()
    drawn = f", {tally.draws} drawn" if tally.draws else ""
    say(
        f"{first} won {tally.wins} of {games}{drawn}: {tally.rate:.1%}, between {low:.1%} and {high:.1%} with 95% confidence; "
        f"{tally.different()} different games: {out}"
    )
    for each in tally.failures:
        say(each)


def suggest(
    game: Annotated[Path, typer.Argument(metavar="FILE.sgf", help="A game record; or example.")],
    move: Annotated[int | None, typer.Option(min=1, help="What to play as this move of it. Default: after the last.")] = None,
    why: Annotated[str | None, typer.Option(help="A point, D4, or best: also draw which stones carry that move.")] = None,
    network: GoNetwork = "go",
    symmetric: Annotated[bool, typer.Option("--symmetric", help="Take the mean over the eight symmetries.")] = False,
    out: Annotated[Path | None, typer.Option(help="PNG to write. Default: FILE-MOVE.png.")] = None,
    device: Device = None,
) -> None:
    """Say which moves the network expects in a position of a game, and draw them on the board.

    Example: convsight go suggest example --move 60 --why best
    """
    from convsight.go import draw, samples, sgf, show
    from convsight.go.player import Player

    opened = go_network(network).to(device or best_device())
    size = opened.input.shape[1]
    record = sgf.first(game_file(game))
    if record.size != size:
        raise InputError(f"{game} is on {record.size} lines; the network plays on {size}")
    number = move or len(record.moves) + 1
    if number > len(record.moves) + 1:
        raise InputError(f"{game} has {len(record.moves)} moves; --move is from 1 to {len(record.moves) + 1}")
    path = out or Path(f"{game.stem}-{number}.png")
    check_ending(path, ".png")
    check_writable(path)
    position = samples.position(record, number)
    prior = Player(opened, symmetric=symmetric).prior(position)[0]
    best = [int(each) for each in prior.argsort()[::-1][:8] if prior[each] > 0]
    if not best:
        raise InputError(f"before move {number} of {game} there is no sensible move; pass")
    played = record.moves[number - 1][1] if number <= len(record.moves) else None
    table = Table("move", "probability", "")
    for each in best:
        table.add_row(sgf.named(each, size), f"{prior[each]:.1%}", "played" if each == played else "")
    if played is not None and played not in best and played < size * size:
        table.add_row(sgf.named(played, size), f"{prior[played]:.1%}", "played")
    show_table(table)
    last = record.moves[number - 2][1] if number > 1 else None
    pictures = [draw.expected(position.board()[0], prior, last=last)]
    if why:
        point = best[0] if why == "best" else sgf.of_name(why, size)
        if point >= size * size or position.board()[0].flat[point]:
            raise InputError(f"--why is an empty point or best, not {why}")
        carried = show.carrying(opened, position, point)
        pictures.append(draw.carrying(position.board()[0], carried, point, last=last))
        strongest = sorted(carried, key=lambda each: -abs(carried[each]))[:5]
        say(
            f"without the stone, the log probability of {sgf.named(point, size)} falls by: "
            + ", ".join(f"{sgf.named(each, size)} {carried[each]:+.2f}" for each in strongest)
        )
    write_png(draw.side_by_side(pictures, columns=2), path)
    say(f"what is expected as move {number} of {game.name}: {path}")


def show(
    games: Annotated[
        list[Path] | None, typer.Argument(metavar="[GAMES]...", help="SGF, for --unit: where to look for positions.")
    ] = None,
    layer: Annotated[str, typer.Option(help="A layer that `convsight layers` lists.")] = "conv1",
    unit: Annotated[int | None, typer.Option(min=0, help="A filter of it: draw positions that excite it most.")] = None,
    network: GoNetwork = "go",
    out: Annotated[Path | None, typer.Option(help="PNG to write.")] = None,
    seed: Seed = 0,
    device: Device = None,
) -> None:
    """Draw the first filters as patterns of stones; or, for one filter of any layer, the positions that excite it most.

    Beside each position the board that excites it more still, found by changing one stone after the other.

    Example: convsight go show

    Example: convsight go show example --layer conv3 --unit 5
    """
    from convsight.go import draw
    from convsight.go import show as showing

    opened = go_network(network).to(device or best_device())
    path = out or Path(f"{opened.name}-{layer}{'' if unit is None else f'-{unit}'}.png")
    check_ending(path, ".png")
    check_writable(path)
    if unit is None:
        patterns = [draw.pattern(each) for each in showing.filters(opened)]
        write_png(draw.side_by_side(patterns, columns=max(1, round(len(patterns) ** 0.5))), path)
        say(f"{len(patterns)} filters; black is own, white the opponent's, blue an empty point: {path}")
        return
    if not games:
        raise InputError("to see what excites a filter, give GAMES to look through")
    known = read_games(games, opened.input.shape[1])
    found = showing.strongest(opened, layer, unit, known, seed=seed)
    pictures = []
    with progress("climbing", len(found)) as done:
        for index, each in enumerate(found):
            more = showing.climbed(opened, layer, unit, each)
            boards = [shown.games.board()[0] for shown in (each, more)]
            pictures += draw.climb(boards[0], boards[1], showing.seen(opened, layer, each.place))
            say(f"in a game {each.response:.2f}, climbed to {more.response:.2f}")
            done(index + 1, "")
    write_png(draw.side_by_side(pictures, columns=2), path)
    say(f"left as played, right climbed from there (red what changed), framed what unit {unit} of {layer} sees: {path}")
