"""groundswell curators: who may change the study from the page or the API."""

from __future__ import annotations

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell

app = typer.Typer(help="Who may curate in the browser and over the API.", no_args_is_help=True)
NAME = typer.Argument(metavar="NAME", help="Who; decisions carry this name.")


@app.command()
def add(name: str = NAME) -> None:
    """Let somebody curate, and show the token to sign in with. It is shown once and kept nowhere."""
    from agents.instance.clock import utc_now
    from models.codebook.commands import clean
    from streams.state.curators import Curators

    settings = load_settings()
    wanted = clean(name, "the name")
    curators = Curators(settings.curators_file)
    token = curators.add(wanted, utc_now())
    tell(f"{wanted} may curate study {settings.study!r} with this token, which is shown only now:")
    say(token)
    tell(f"sign in on the page (/login). Only its hash is kept, in {curators.path}")


@app.command("list")
def list_(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """Who may curate, and since when."""
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
        "nobody may curate yet: groundswell curators add NAME",
    )


@app.command()
def remove(name: str = NAME) -> None:
    """Let somebody curate no more: token and open sessions are worth nothing from then on."""
    from streams.state.curators import Curators

    gone = Curators(load_settings().curators_file).remove(name)
    tell(f"{gone.name} may not curate any more, and is signed out everywhere")
