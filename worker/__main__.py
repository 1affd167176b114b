"""The command line: `kallelse`. Each command lives in `worker.commands`; this puts them together."""

import typer

from worker.commands import (
    answers,
    clinics,
    facilities,
    keys,
    letters,
    looking,
    operating,
    preparations,
    providers,
    rules,
    running,
    seeding,
    subjects,
    templates,
    trying,
)
from worker.commands.exits import Commands

app = typer.Typer(
    name="kallelse",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""Care visits in the citizen's own calendar, and a word in time before each.

    **New here?** `kallelse demo` shows everything on this machine, with a simulated region.

    **Running it?** `kallelse up` is one process on SQLite; the Procfile (`migrate`, `web`, `worker`, `clock`) is for
    PostgreSQL and Redis or RabbitMQ. `kallelse check` says what is in force, what is missing and what is not well.

    **Steering it?** `pause` and `resume` all sending or a clinic's, `providers`, `frozen`, `backup` and `restored`. A
    dry run: with KALLELSE_PAPER_FOLDER every message becomes a file there, and none is sent.

    **Feeding it?** `clinic add`, `clinic decide`, `facilities import`, `subjects import`. `seed` writes files to try.

    **Words?** `templates export`, `import`, `preview`, `approve`, `activate`, `rollback`: nobody approves their own.

    **Before visits?** `preparations import`, `export`, `hosts`, `unseen`: what people are to read, and who has not.

    Settings come from the environment (`KALLELSE_...`); README has the table. Exit codes: 0 done, 1 something failed,
    2 something must be set right first.
    """,
)
_EVERY = (
    running, looking, operating, providers, trying, seeding, clinics, facilities, rules, templates, preparations,
    subjects, answers, letters, keys,
)  # fmt: skip
for commands in _EVERY:
    commands.register(app)


def main() -> None:
    """The entry point."""
    app()


if __name__ == "__main__":
    main()
