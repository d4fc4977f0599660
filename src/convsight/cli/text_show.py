"""`convsight text explain` and `convsight text show`: which words decide, and which each filter looks for."""

from __future__ import annotations

import os
from html import escape
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from convsight.cli.terminal import say, show_table
from convsight.cli.text_options import LabelColumn, TextColumn, TextNetwork
from convsight.files import check_ending, check_writable, written_whole
from convsight.pictures import write_png

if TYPE_CHECKING:
    from convsight.text.data import Labelled
    from convsight.text.model import Classifier
    from convsight.text.show import Explanation


def explain(
    text: Annotated[str, typer.Argument(help="What to classify.")],
    network: TextNetwork = "text",
    most: Annotated[int, typer.Option("--ngrams", min=0, help="How many n-grams to list.")] = 10,
    out: Annotated[Path | None, typer.Option(help="Also write it as a web page (.html) or a picture (.png).")] = None,
) -> None:
    """Colour the words that decide, and list the n-grams that do, each with what its filter contributes.

    Example: convsight text explain "a quiet, moving film"
    """
    from convsight.text import draw, show
    from convsight.text.data import decoded
    from convsight.text.encode import UNKNOWN
    from convsight.text.model import load_classifier

    if out:
        check_ending(out, ".html", ".png")
        check_writable(out)
    opened = load_classifier(network)
    text = decoded(os.fsencode(text))
    told = show.explain(opened, text)
    number = told.labels.index(told.label)
    say(f"{told.label}, {float(opened.probabilities([text])[0, number]):.0%}")
    Console(highlight=False).print(_coloured(told), soft_wrap=True)
    if told.words and all(opened.vocabulary.number(word) == UNKNOWN for word in told.words):
        say("no word of this is known")
    table = Table("n-gram", "filter", *told.labels)
    *added, logit = told.rows(most)
    for ngram, filter_number, contributions in added:
        table.add_row(ngram, filter_number, *(f"{each:+.3f}" for each in contributions))
    table.add_section()
    table.add_row(logit[0], "", *(f"{each:+.3f}" for each in logit[2]))
    show_table(table)
    if out and out.suffix.lower() == ".png":
        write_png(draw.explained(told, most=most), out)
        say(f"The same as a picture: {out}")
    elif out:
        page = f"<!doctype html><meta charset=utf-8><title>{escape(told.label)}</title>{told.html(most)}"
        with written_whole(out) as temporary:
            temporary.write_text(page, encoding="utf-8")
        say(f"The same as a page: {out}")


def show(
    network: TextNetwork = "text",
    number: Annotated[
        int | None, typer.Option("--filter", min=0, help="Default: three that weigh most for each class.")
    ] = None,
    texts: Annotated[str | None, typer.Option(help="Texts to look for what excites them, as for `text train`.")] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    out: Annotated[Path | None, typer.Option(help="Also draw the n-grams that were found exactly: a PNG.")] = None,
) -> None:
    """Say which words a filter looks for: the n-gram that it answers most to, found exactly, and those of real texts.

    Example: convsight text show --texts reviews.csv

    Example: convsight text show --filter 17 --texts mr/
    """
    from convsight.text import data, draw
    from convsight.text import show as showing
    from convsight.text.model import load_classifier

    if out:
        check_ending(out, ".png")
        check_writable(out)
    opened = load_classifier(network)
    known = data.load(texts, text=text_column, label=label_column) if texts else None
    thresholds = showing.thresholds(opened, known.texts, known.numbers(opened.network.labels)) if known else []
    seen = showing.looked_for(opened, number)
    for each, best, label in seen:
        say(f"Filter {each}, for {label}: {best} ({best.answer:.2f}), of all n-grams of its words")
        table = Table(*(f"word {slot + 1}" for slot in range(len(best.words))))
        for row in zip(*showing.best_words(opened, each), strict=True):
            table.add_row(*row)
        show_table(table)
        if known:
            _of_texts(opened, each, known, thresholds[each])
    if out:
        write_png(draw.ngrams([best for _, best, _ in seen], [label for _, _, label in seen]), out)
        say(f"The same as a picture: {out}")


def _of_texts(opened: Classifier, number: int, known: Labelled, threshold: float) -> None:
    from convsight.text import show as showing

    found = showing.exciting(opened, number, known.texts)
    telling = isfinite(threshold)
    say(f"it tells something from {threshold:.2f} on" if telling else "none of its answers to these texts tells their class")
    table = Table("n-gram of the texts", "answer", "one word other, and it says nothing")
    for ngram in found:
        others = showing.negatives(opened, number, ngram, threshold, count=1) if telling else []
        table.add_row(str(ngram), f"{ngram.answer:.2f}", str(others[0]) if others else "")
    show_table(table)


def _coloured(told: Explanation) -> Text:
    text = Text()
    for word, weight in zip(told.words, told.weights(), strict=True):
        shade = int(200 * abs(weight))
        colour = f"rgb(0,{shade},{shade // 3})" if weight > 0 else f"rgb({shade},0,{shade // 5})"
        text.append(word, style=f"bold white on {colour}" if shade > 20 else "").append(" ")
    return text
