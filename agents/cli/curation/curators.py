"""groundswell curators: the people who may change the study on the page or through the API."""

from __future__ import annotations

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell

app = typer.Typer(help="People who may curate on the page and through the API.", no_args_is_help=True)
NAME = typer.Argument(metavar="NAME", help="Name of the curator; it is recorded with each decision.")


@app.command()
def add(name: str = NAME) -> None:
    """Add a curator and print a token for signing in. The token is shown only once and is not stored."""
    from agents.instance.clock import utc_now
    from models.codebook.commands import clean
    from streams.state.curators import Curators

    settings = load_settings()
    wanted = clean(name, "the name")
    curators = Curators(settings.curators_file)
    token = curators.add(wanted, utc_now())
    tell(f"{wanted} may curate study {settings.study!r} with this token, which is shown only once:")
    say(token)
    tell(f"sign in on the page (/login). Only a hash of the token is stored, in {curators.path}")


@app.command("list")
def list_(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """List the curators and the days on which they were added."""
    from agents.queries.wording import day
    from streams.state.curators import Curators

    rows = [
        {"name": each.name, "added_at": each.added_at}
        for each in Curators(load_settings().curators_file).all()
    ]
    if as_json:
        print_json(rows)
        return
    print_rows(
        rows,
        {"name": ("CURATOR", str), "added_at": ("SINCE", day)},
        "no curators yet: add one with groundswell curators add NAME",
    )


@app.command()
def remove(name: str = NAME) -> None:
    """Remove a curator: the token and open sessions stop working at once."""
    from streams.state.curators import Curators

    gone = Curators(load_settings().curators_file).remove(name)
    tell(f"{gone.name} may no longer curate, and is signed out everywhere")
