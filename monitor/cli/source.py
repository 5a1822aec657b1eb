"""`monitor source`: how a laboratory writes its files, learned from one of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import (
    CONFIG_DEFAULT,
    AtOption,
    ConfigOption,
    JsonOption,
    Refused,
    local,
    reading,
    say,
    table,
    writing,
)
from monitor.cli.json_answers import print_json
from monitor.cli.preview import say_recognised

if TYPE_CHECKING:
    from monitor.operations.sources import Learned

app = typer.Typer(
    no_args_is_help=True,
    help="Laboratories whose files differ from the long form.\n\n"
    "`learn` writes down how a laboratory's file is laid out, as a [sources.NAME] table of the "
    "config that a person can read and correct. `monitor load --source NAME` then refuses a file "
    "whose layout changed, and says what changed.",
)


@app.command()
def learn(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", readable=False, help="A file of the laboratory.")
    ],
    name: Annotated[str, typer.Option("--name", metavar="LAB", help="What to call it.")],
    date_format: Annotated[
        str,
        typer.Option(
            "--date-format",
            metavar="ORDER",
            help="day_first, month_first or year_first, where the dates of the file leave it open.",
        ),
    ] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Learn it anew, in place of what the config has.")
    ] = False,
    config: ConfigOption = CONFIG_DEFAULT,
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Learn a laboratory's layout from one of its files, and write it into the config.

    Nothing is taken in. What was written is shown, with what loading the file would do.
    """
    from monitor.intake.survey import UnreadableFile
    from monitor.operations.sources import SourceRefused
    from monitor.operations.sources import learn as learn_it

    with writing(config, at) as work:
        try:
            learned = learn_it(
                work.store,
                work.settings,
                config,
                file,
                name,
                work.now,
                date_format=date_format,
                replace=replace,
            )
        except UnreadableFile as refusal:
            raise Refused(f"{file}: {refusal}") from None
        except SourceRefused as refusal:
            raise Refused(str(refusal)) from None
    if as_json:
        print_json(
            {
                "source": learned.name,
                "config": str(config),
                "replaced": learned.replaced,
                "guessed": list(learned.guessed),
                "mapping": learned.mapping.model_dump(mode="json", exclude_defaults=True),
                **learned.report.recognised(),
            }
        )
    else:
        _say_learned(learned, config, file)


def _say_learned(learned: Learned, config: Path, file: Path) -> None:
    say_recognised(learned.report)
    say()
    say(f"Written into {config}{', in place of what was there' if learned.replaced else ''}:")
    say()
    for line in learned.table.rstrip().splitlines():
        say(f"  {line}" if line else "")
    say()
    if learned.guessed:
        say(f"Found by their cells alone, so look twice: {', '.join(learned.guessed)}.")
    say(f"Next: monitor load {file} --source {learned.name} --preview")


@app.command("list")
def list_sources(config: ConfigOption = CONFIG_DEFAULT, as_json: JsonOption = False) -> None:
    """List the laboratories of the config, and what came from each."""
    from monitor.operations.sources import sources_in_use

    with reading(config) as work:
        found = sources_in_use(work.store, work.settings)
        zone = work.settings.clinic.zone
    if as_json:
        print_json([source.document() for source in found])
        return
    table(
        ("source", "layout", "files", "last file", "received"),
        [
            (
                it.name,
                f"learned, {len(it.mapping.header)} columns" if it.mapping.header else "any",
                it.files,
                it.last_file,
                local(it.last_received, zone) if it.last_received else "",
            )
            for it in found
        ],
        empty="No source in the config: monitor source learn FILE --name LAB writes one.",
    )


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="LAB", help="A source of the config.")],
    config: ConfigOption = CONFIG_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Show how a laboratory's files are read: its table of the config."""
    from monitor.operations.sources import SourceRefused, source_in_use

    with reading(config) as work:
        try:
            source, text = source_in_use(work.store, work.settings, name)
        except SourceRefused as refusal:
            raise Refused(str(refusal)) from None
    if as_json:
        print_json(source.document())
    else:
        say(text.rstrip())
