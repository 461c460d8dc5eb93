"""groundswell glossary: checks a glossary and tries it on text before a study uses it."""

from __future__ import annotations

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell

app = typer.Typer(
    help="The glossary: the spelling of a field's names, and how speech recognition misspells them.",
    no_args_is_help=True,
)
JSON = typer.Option(False, "--json", help="Print JSON.")
WHICH = typer.Argument(metavar="FILE", help="A YAML file, or the name of a packaged glossary.")


@app.command()
def check(which: str = WHICH, as_json: bool = JSON) -> None:
    """Check a glossary: report what is wrong with it, or list its entries."""
    from models.transcripts.glossary import load

    glossary = load(which)
    heard = sum(len(entry.heard) for entry in glossary.entries)
    if as_json:
        print_json(
            {
                "name": glossary.name,
                "version": glossary.version,
                "entries": len(glossary.entries),
                "heard": heard,
            }
        )
        return
    rows = [
        {"write": entry.write, "heard": ", ".join(entry.heard), "near": ", ".join(entry.near)}
        for entry in glossary.entries
    ]
    print_rows(rows, {column: (column, str) for column in ("write", "heard", "near")})
    tell(f"{glossary.version}: {len(rows)} names, {heard} misheard forms")


@app.command(name="try")
def try_text(
    text: str = typer.Argument(metavar="TEXT", help="Text as it was recognised."),
    which: str = typer.Option(
        "",
        "--glossary",
        metavar="FILE",
        show_default=False,
        help="A YAML file, or a packaged glossary's name (default: the study's, else the first packaged).",
    ),
    as_json: bool = JSON,
) -> None:
    """Show how a glossary would correct a text. Nothing is stored."""
    from models.transcripts.glossary import available, load, try_out

    glossary = load(which or load_settings().glossary or available()[0])
    made = try_out(glossary, text)
    corrections = [correction.model_dump(exclude={"start"}) for correction in made.corrections]
    if as_json:
        print_json({"glossary": glossary.version, "text": made.segments[0].text, "corrections": corrections})
        return
    say(made.segments[0].text)
    tell(f"{glossary.version}: {len(corrections)} changes")
    for correction in corrections:
        tell(f"  {correction['heard']} → {correction['written']}")
