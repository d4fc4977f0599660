"""`convsight text`: train a classifier of texts, judge it, use it, and see which words it looks for."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from convsight.cli import text_show
from convsight.cli.options import Seed, TrainingDevice
from convsight.cli.progress import progress, training_progress
from convsight.cli.terminal import say, show_table
from convsight.cli.text_options import Embeddings, LabelColumn, Source, TextColumn, TextNetwork, Tokeniser
from convsight.errors import InputError
from convsight.files import check_ending, check_writable, write_lines

if TYPE_CHECKING:
    from convsight.text.vectors import Vectors

_LIKE_A_FILE = re.compile(r"\S+\.(?:txt|csv|tsv|jsonl?|ndjson|gz|xz|bz2)", re.IGNORECASE)
app = typer.Typer(help="Classify texts by a network whose filters look for a few words in a row.", no_args_is_help=True)
app.command()(text_show.explain)
app.command()(text_show.show)


@app.command()
def train(
    source: Source,
    out: Annotated[Path, typer.Option(help="Where the network goes.")] = Path("text.safetensors"),
    validation: Annotated[
        str | None, typer.Option(help="Texts to judge by. Default: one in ten of TEXTS, which is not learnt from.")
    ] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    tokeniser: Annotated[
        Tokeniser,
        typer.Option(help="How texts become words: english as Kim did, unicode for all that write spaces, chinese."),
    ] = "english",
    vectors: Annotated[
        Path | None,
        typer.Option(
            help="Word vectors to begin with: word2vec (.bin, text), GloVe, .vec, a spaCy folder; glove, english, pieces, "
            "or several, such as glove+pieces."
        ),
    ] = None,
    embeddings: Annotated[
        Embeddings | None, typer.Option(help="Kim's variants. Default: non-static with --vectors, else rand.")
    ] = None,
    words: Annotated[int | None, typer.Option(min=1, help="Know the most frequent words, so many. Default: all.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the texts.")] = None,
    seed: Seed = 0,
    device: TrainingDevice = None,
) -> None:
    """Learn to classify your own texts; interrupted and started again with the same options, it goes on where it was.

    Example: convsight text train reviews.csv --label-column stars

    Example: convsight text train mr/ --vectors glove.6B.300d.txt --out mine.safetensors
    """
    from convsight.text import data, model
    from convsight.text.vectors import read
    from convsight.training import is_main_process

    check_ending(out, ".safetensors")
    check_writable(out)
    known = data.load(source, text=text_column, label=label_column)
    if validation:
        held_out = data.load(validation, text=text_column, label=label_column)
    else:
        known, held_out = data.kept_to_judge(known, seed=seed)
    say(f"{len(known):,} texts to learn from ({known.balance()}), {len(held_out):,} to judge by")
    if both := data.in_both(known, held_out):
        say(f"{both:,} of those to judge by are also among those to learn from")
    classes = known.classes()
    truth = held_out.numbers(classes)

    def told(wanted: Collection[str]) -> Vectors:
        found = read(Path(str(vectors)), wanted)
        say(f"{len(found):,} of {len(wanted):,} words have a vector")
        return found

    start = model.untrained_for(
        known.texts, classes, tokeniser=tokeniser, vectors=told if vectors else None, others=held_out.texts, most=words,
        embeddings=embeddings, seed=seed,
    )  # fmt: skip
    plan = replace(model.PLAN, epochs=epochs or model.PLAN.epochs)
    steps, started, checkpoint = plan.steps(len(known)), perf_counter(), out.with_suffix(".checkpoint")
    with training_progress(steps, checkpoint) as done:
        learnt_one = model.fit(
            start, known.texts, known.numbers(classes), plan=plan, seed=seed, device=device, checkpoint=checkpoint,
            settings={
                "seed": seed, "texts": len(known), "words": len(start.vocabulary), "embeddings": start.embeddings,
                "vectors": str(vectors), "tokeniser": tokeniser,
            },
            on_step=lambda step, loss: done(step + 1, f"loss {loss:.3f}"),
        )  # fmt: skip
    if not is_main_process():
        return
    model.save_classifier(learnt_one, out)
    right = model.count_right(model.load_classifier(str(out)), held_out.texts, truth)  # its vectors are rounded
    options = {
        "validation": validation and Path(validation).name, "text-column": text_column, "label-column": label_column,
        "tokeniser": tokeniser, "vectors": vectors and vectors.name, "embeddings": start.embeddings, "words": words,
        "epochs": plan.epochs, "seed": seed,
    }  # fmt: skip
    given = [f"--{name} {value}" for name, value in options.items() if value is not None]
    card = {
        "data": f"{len(known):,} texts ({known.balance()})",
        "figure": f"{right} of {len(held_out)} others right",
        "command": f"convsight text train {Path(source).name} {' '.join(given)}",
    }
    model.save_classifier(replace(learnt_one, network=replace(learnt_one.network, card=card)), out)
    say(f"{right / len(held_out):.2%} of {len(held_out):,} right, after {perf_counter() - started:.0f} s: {out}")


@app.command()
def evaluate(
    source: Source,
    network: TextNetwork = "text",
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
) -> None:
    """Say how many texts a network classifies rightly, class by class.

    Example: convsight text evaluate test.csv --network mine.safetensors
    """
    from rich.table import Table

    from convsight.text import data, model

    opened = model.load_classifier(network)
    known = data.load(source, text=text_column, label=label_column)
    classes = opened.network.labels
    truth, called = known.numbers(classes), opened.logits(known.texts).argmax(1).tolist()
    right = sum(ours == theirs for ours, theirs in zip(truth, called, strict=True))
    say(f"{right} of {len(known)} right, {right / len(known):.2%}")
    table = Table("class", *(f"called {each}" for each in classes))
    for number, name in enumerate(classes):
        among = [ours for ours, theirs in zip(called, truth, strict=True) if theirs == number]
        table.add_row(name, *(str(among.count(each)) for each in range(len(classes))))
    show_table(table)


@app.command()
def classify(
    texts: Annotated[
        list[str], typer.Argument(metavar="TEXT...", help="Texts; files of lines, or tables; or - for standard input.")
    ],
    network: TextNetwork = "text",
    text_column: TextColumn = "text",
    form: Annotated[
        Literal["tsv", "jsonl"], typer.Option("--form", help="Class, probability and text; or JSON objects.")
    ] = "tsv",
) -> None:
    """Say the class of texts, a line each, as soon as they come.

    Example: convsight text classify "a quiet, moving film"

    Example: tail -f reviews.txt | convsight text classify - --network mine.safetensors --form jsonl
    """
    from convsight.text import model

    opened = model.load_classifier(network)
    for some in _given(texts, text_column):
        for text, probabilities in zip(some, opened.probabilities(some).tolist(), strict=True):
            best = max(range(len(probabilities)), key=probabilities.__getitem__)
            label, probability = opened.network.labels[best], probabilities[best]
            if form == "tsv":
                in_a_line = re.sub(r"[\t\r\n]", " ", text)
                sys.stdout.write(f"{label}\t{probability:.4f}\t{in_a_line}\n")
            else:
                named = dict(zip(opened.network.labels, (round(each, 4) for each in probabilities), strict=True))
                sys.stdout.write(json.dumps({"text": text, "label": label, "probabilities": named}, ensure_ascii=False) + "\n")
        sys.stdout.flush()


@app.command()
def benchmark(
    folder: Annotated[
        Path, typer.Argument(help="Sets as folders: mr/, cr/, ... with a file for each class, or train.txt test.txt.")
    ],
    vectors: Annotated[Path, typer.Option(help="As for `text train`.")] = Path("glove+pieces"),
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="The table, in Markdown; each line is written when it is known.")] = Path("text.md"),
    device: TrainingDevice = None,
) -> None:
    """Measure Kim's four variants on sets of texts, by tenfold cross-validation or by a set's own split, beside his figures.

    Example: convsight text benchmark sets/ --vectors GoogleNews-vectors-negative300.bin
    """
    from statistics import mean, stdev

    from convsight.text import crossvalidation as cross
    from convsight.text import data
    from convsight.text.encode import english
    from convsight.text.vectors import read

    check_writable(out)
    lines = ["| set | embeddings | % right | spread over folds | Kim 2014 | seconds a fold |", "|---|---|---|---|---|---|"]
    for name, splits in cross.sets(folder):
        words = {word for part in splits[0] for text in part.texts for word in english(text)}
        given = read(vectors, words)
        if repeated := sum(data.in_both(*each) for each in splits):
            say(f"{name}: {repeated:,} texts to test by are, word for word, also among those learnt then")
        for kind in get_args(Embeddings):
            found, started = [], perf_counter()
            with progress(f"{name}, {kind}", len(splits), left=lambda: f"the lines so far are in {out}") as done:
                for learnt, tested in splits:
                    found.append(100 * cross.accuracy(learnt, tested, embeddings=kind, vectors=given, seed=seed, device=device))
                    done(len(found), f"{mean(found):.1f}%")
            spread = f"{stdev(found):.1f}" if len(found) > 1 else "own split"
            published = cross.KIM.get(name, {}).get(kind, "")
            seconds = (perf_counter() - started) / len(splits)
            lines.append(f"| {name} | {kind} | {mean(found):.1f} | {spread} | {published} | {seconds:.0f} |")
            say(lines[-1])
            write_lines(out, lines)
    say(f"The table: {out}")


def _given(texts: list[str], column: str) -> Iterator[list[str]]:
    """The texts, in as large parts as there are at once."""
    from convsight.text import data

    for each in texts:
        if each == "-":
            yield from data.as_they_come(sys.stdin.buffer)
        elif os.path.isfile(each):  # noqa: PTH113 (of a long text a Path raises)
            parts = data.texts(Path(each), column=column)
            first = next(parts, None)
            if first is None:
                raise InputError(f"there is no text in {each}")
            yield first
            yield from parts
        elif _LIKE_A_FILE.fullmatch(each):
            raise InputError(f"there is no file {each}")
        else:
            yield [data.decoded(os.fsencode(each))]
