"""`convsight go gtp`, `match`, `suggest`, `review` and `show`: what the network plays, and what it looks for."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from convsight.cli.go_options import ON_NINE, SHORT, GoNetwork, game_file, go_network, network_for, read_games
from convsight.cli.options import Device, Seed
from convsight.cli.progress import progress
from convsight.cli.terminal import say, show_table
from convsight.errors import InputError
from convsight.files import check_ending, check_writable, written_whole
from convsight.pictures import write_png
from convsight.precision import best_device


def gtp(
    network: GoNetwork = "go",
    temperature: Annotated[float, typer.Option(min=0, max=10, help="0: its first move; 1: as often as it expects.")] = 0.0,
    symmetric: Annotated[bool, typer.Option("--symmetric", help="Take the mean over the eight symmetries.")] = False,
    resign: Annotated[
        float, typer.Option(min=0, max=0.5, help="Give up when games played out from there are won less often. 0: never.")
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

    name = SHORT.get(network, network)
    opened, *others = (go_network(each).to(device or best_device()) for each in (name, ON_NINE.get(name)) if each)
    player = Player(opened, temperature=temperature, symmetric=symmetric, resign=resign)
    unbuffered = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)  # what waits there for a line is in nobody's way at the end
    lines = (each.decode(errors="replace") for each in unbuffered)
    serve(Engine(player, others=others, superko=superko, seed=seed), lines, sys.stdout)


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
    if any(out.glob("[0-9]*.sgf")):
        raise InputError(f"{out} holds the games of another match; name another folder with --out")
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
    from convsight.go import sgf, views
    from convsight.go.match import NAMES

    record = sgf.first(game_file(game))
    opened = network_for(network, record.size).to(device or best_device())
    if record.cut:
        say(f"{record.source} ends early, {record.cut}")
    number = move or len(record.moves) + 1
    path = out or Path(f"{game.stem}-{number}.png")
    check_ending(path, ".png")
    check_writable(path)
    found = views.suggestion(opened, record, number, why=why, symmetric=symmetric)
    played = record.moves[number - 1][1] if number <= len(record.moves) else None
    listed = found.best
    if played is not None and played not in listed and played < record.size**2:
        listed = [*listed, played]
    table = Table(f"{NAMES[record.to_play(number)]}'s move {number}", "probability", "")
    for each in listed:
        table.add_row(sgf.named(each, record.size), f"{found.prior[each]:.1%}", "played" if each == played else "")
    if played == record.size**2:
        table.add_row("pass", "", "played")
    show_table(table)
    if why:
        strongest = sorted(found.carried, key=lambda each: -abs(found.carried[each]))[:5]
        say(
            f"without the stone, the log probability of {sgf.named(found.point, record.size)} falls by: "
            + ", ".join(f"{sgf.named(each, record.size)} {found.carried[each]:+.2f}" for each in strongest)
        )
    write_png(found.picture, path)
    say(f"what is expected as move {number} of {record.source}: {path}")


def review(
    game: Annotated[Path, typer.Argument(metavar="FILE.sgf", help="A game record; or example.")],
    colour: Annotated[Literal["black", "white"] | None, typer.Option(help="Whose surprises. Default: both players'.")] = None,
    network: GoNetwork = "go",
    symmetric: Annotated[bool, typer.Option("--symmetric", help="Take the mean over the eight symmetries.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Page to write; the annotated record goes beside. Default: FILE-review.html.")
    ] = None,
    device: Device = None,
) -> None:
    """Say how likely the network held each move of a game, and show those it held least likely.

    Writes a page, and the record with comments, letters on the network's first choices, and its move beside each surprise.

    Example: convsight go review example

    Example: convsight go review game.sgf --colour white
    """
    from convsight.go import report, sgf
    from convsight.go import review as reviewing
    from convsight.go.match import NAMES

    path = out or Path(f"{game.stem}-review.html")
    annotated = path.with_suffix(".sgf")
    check_ending(path, ".html")
    check_writable(path)
    check_writable(annotated)
    if annotated.exists() and game.exists() and annotated.samefile(game):
        raise InputError(f"the annotated record would take the place of {game}; name another page with --out")
    source, text = sgf.first_text(game_file(game))
    record = sgf.read(text, source)
    opened = network_for(network, record.size).to(device or best_device())
    whose = {name: number for number, name in NAMES.items()}
    with progress("reviewing", len(record.moves)) as done:
        found = reviewing.review(
            opened, record, colour=whose[colour] if colour else None, symmetric=symmetric, on_move=lambda count: done(count, "")
        )
    if found.record.cut:
        say(f"{source} ends early, {found.record.cut}")
    for name, part in found.parts().items():
        say(f"{name}: {reviewing.agreement(part)}, of {len(part)}")
    table = Table("surprise", "played", "probability", "choice", "expected")
    for each in found.surprises:
        table.add_row(
            f"{NAMES[each.colour]}'s move {each.number}", sgf.named(each.point, record.size),
            reviewing.percent(each.probability), str(each.rank), reviewing.first(each, record.size),
        )  # fmt: skip
    if found.surprises:
        show_table(table)
    options = (["--network", network] if network != "go" else []) + (["--symmetric"] if symmetric else [])
    closer = shlex.join(["convsight", "go", "suggest", str(game), *options])
    report.write_page(found, opened, path, players=sgf.names(text), suggest=closer)
    with written_whole(annotated) as temporary:
        temporary.write_bytes(sgf.annotated(text, reviewing.notes(found)))
    say(f"{source}, annotated: {annotated}; the page: {path}")


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
    from convsight.go import views

    opened = go_network(network).to(device or best_device())
    path = out or Path(f"{opened.name}-{layer}{'' if unit is None else f'-{unit}'}.png")
    check_ending(path, ".png")
    check_writable(path)
    if unit is None:
        if games:
            raise InputError("GAMES are looked through for what excites one filter; say which with --unit")
        if layer != "conv1":
            raise InputError(
                "only the first layer looks straight at stones; to see what another looks for, give --unit and GAMES"
            )
        write_png(views.filters(opened).picture, path)
        say(f"the first filters; black is own, white the opponent's, blue an empty point: {path}")
        return
    if not games:
        raise InputError("to see what excites a filter, give GAMES to look through")
    known = read_games(games, opened.input.shape[1])
    with progress("climbing", None) as done:

        def note(count: int, _all: int, before: float, after: float) -> None:
            say(f"in a game {before:.2f}, climbed to {after:.2f}")
            done(count, "")

        found = views.climbs(opened, layer, unit, known, seed=seed, on_climb=note)
    write_png(found.picture, path)
    say(f"left as played, right climbed from there (red what changed), framed what unit {unit} of {layer} sees: {path}")
