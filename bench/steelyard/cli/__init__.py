"""The command `steelyard`. A subcommand is a module, imported when it is called."""

from __future__ import annotations

import errno
import os
import signal
import sys
from importlib import import_module

import click

from steelyard import __version__
from steelyard.errors import SteelyardError

COMMANDS = {
    "bundle": "Pack what a suite needs into one file, for a device without network.",
    "cost": "Show what models cost to run, and from which volume on the small one pays.",
    "cascade": "Choose when a specialist hands an item on to a generalist.",
    "choose": "Name the measured model that meets your limits.",
    "claims": "Show which claims hold on what was measured, and what was not tested.",
    "curve": "Show from how many labelled examples on the small model keeps up.",
    "doctor": "Show what this device can measure, and what to change first.",
    "export": "Write runs for other programs: LaTeX, Parquet, CycloneDX and more.",
    "fleet": "Run the same cells on many devices, one at a time on each.",
    "gate": "Fail where a candidate is slower, larger, hungrier or less accurate.",
    "history": "Plot a cell over many runs, with its change points and their commits.",
    "licences": "List the sources of data and weights with their terms.",
    "list": "Show the tasks, the models, or the cells of a suite.",
    "plan": "Show what a suite would run, and what it refuses and why.",
    "prepare": "Fetch and build what a suite needs, without running it.",
    "query": "Ask SQL of many runs.",
    "report": "Show or write the table of a run.",
    "run": "Run a suite and print its table.",
    "show": "Show a task or a model card.",
    "tune": "Hold the clocks still for measuring, and set them back.",
    "verify": "Check that a published run is what was measured.",
    "verdict": "Say of each task whether the small model is enough, and by which test.",
    "weigh": "Weigh small models on your own labelled data.",
}


# What a write to the standard output ends with where there is no room for it.
UNWRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class Lazy(click.Group):
    """A group whose commands are imported late: `--help` must not load them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; unknown names get the nearest one as a hint."""
        if cmd_name not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"No such command '{cmd_name}'.{hint}")
        command: click.Command = import_module(f"steelyard.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from their one-line summaries."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(
    cls=Lazy,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Examples:  steelyard run --quick   |   steelyard run bench.toml -k spam   |   "
    "steelyard list models",
)
@click.version_option(__version__, prog_name="steelyard")
def group() -> None:
    """Weigh small specialised models against large generalist ones on the same items.

    Results go to the standard output, talk to the standard error. Exit codes: 0 fine, 1 a
    regression (gate), 2 wrong usage, 3 something could not be measured, 4 inconclusive (gate), 130
    stopped by Ctrl-C.
    """


def main() -> None:
    """Run the command line and exit."""
    # Asked to end by a service manager or by `kill`, end as after Ctrl-C: with no worker left over.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status = group(standalone_mode=False)
        # What is still to be written: what fails after this could only be shown as a traceback.
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SteelyardError as error:
        click.echo(f"steelyard: {error}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("steelyard: stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe has gone, as with `| head`: nothing is left to say.
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if error.filename is not None or error.errno not in UNWRITTEN:
            raise
        _drop_output()
        click.echo(f"steelyard: the output cannot be written: {error.strerror}", err=True)
        sys.exit(3)
    sys.exit(status if isinstance(status, int) else 0)


def _drop_output() -> None:
    """Let the interpreter's last flush go nowhere: it would fail as the write before it did."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
