"""`steelyard fleet`: the same cells on many devices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.cells import LOCAL
from steelyard.cli.options import offline_option, suite_options
from steelyard.errors import OptionError, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"


def certificates_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --certificates and --no-tls."""
    function = click.option(
        "--certificates",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where ca.pem and one's own certificate are.  [default: STEELYARD_FLEET, else with "
        "the user's settings]",
    )(function)
    return click.option(
        "--no-tls", is_flag=True, help="On the loopback only: neither certificates nor secrecy."
    )(function)


def scheduler_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --scheduler."""
    return click.option(
        "--scheduler",
        metavar="HOST[:PORT]",
        default=HOST,
        show_default=True,
        help="Where the fleet's scheduler listens.",
    )(function)


@click.group(
    "fleet",
    epilog="Examples:  steelyard fleet scheduler --listen 192.168.1.10   |   "
    "steelyard fleet worker --device pi5-kitchen --scheduler 192.168.1.10   |   "
    "steelyard fleet run -k spam/ --scheduler 192.168.1.10",
)
def command() -> None:
    """Run the same cells on many devices, one cell at a time on each.

    A device that is lost keeps its cells: they wait for it and go to no other. The engine is Dask
    (pip install steelyard[fleet]); beyond the loopback only with TLS and certificates of your own.
    """


@command.command(
    "certificates",
    epilog="Example:  steelyard fleet certificates --device pi5-kitchen --device jetson-1",
)
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--device", "devices", multiple=True, metavar="LABEL", help="A device to make one for."
)
def certificates_command(folder: Path | None, devices: tuple[str, ...]) -> None:
    """Make an authority of your own, and certificates.

    Scheduler and client get one each, and every device that is named. What is there already is
    left as it is. A device needs two files of FOLDER: ca.pem and device-LABEL.pem. ca-key.pem
    stays here: who has it can add devices.
    """
    from steelyard.fleet import certificates, labels

    for label in devices:
        labels.check(label)
    place = folder or certificates.default_folder()
    for path in certificates.make(place, devices):
        click.echo(path)
    click.echo(f"certificates are in {place}", err=True)


@command.command("scheduler", epilog="Example:  steelyard fleet scheduler --listen 192.168.1.10")
@click.option(
    "--listen", metavar="HOST[:PORT]", default=HOST, show_default=True, help="Where to listen."
)
@click.option(
    "--lost-after",
    type=click.FloatRange(min=5.0, max=3600.0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="A device that says nothing for so long is lost.",
)
@click.option(
    "--dashboard",
    type=click.IntRange(min=0, max=65535),
    default=8787,
    show_default=True,
    metavar="PORT",
    help="Where Dask's page is on the loopback; 0: any free port.",
)
@click.option("--no-dashboard", is_flag=True, help="Serve no page.")
@certificates_options
def scheduler_command(
    listen: str,
    lost_after: float,
    dashboard: int,
    no_dashboard: bool,
    certificates: Path | None,
    no_tls: bool,
) -> None:
    """Be the fleet's scheduler until Ctrl-C.

    Its address goes to the standard output. Certificates are made where there are none yet. A run
    that is under way goes on when a killed scheduler is started again.
    """
    from steelyard.fleet import addresses
    from steelyard.fleet import certificates as made

    place = addresses.parse(listen, "--listen")
    folder = _folder(certificates, no_tls=no_tls)
    addresses.check(place, "listening on", folder)
    _require_dask()
    if folder is not None and not (folder / made.SCHEDULER).exists():
        made.make(folder)
        click.echo(f"certificates made in {folder}", err=True)
    from steelyard.fleet.serving import Serving, serve

    how = Serving(
        place=place,
        certificates=folder,
        lost_after_s=lost_after,
        dashboard=None if no_dashboard else dashboard,
    )
    serve(how, click.echo, _tell)


@command.command(
    "worker",
    epilog="Example:  steelyard fleet worker --device pi5-kitchen --scheduler 192.168.1.10",
)
@click.option(
    "--device", "label", required=True, metavar="LABEL", help="What this device is called."
)
@scheduler_option
@click.option(
    "--listen",
    metavar="HOST[:PORT]",
    help="Where the scheduler reaches this device.  [default: the address that leads to it]",
)
@click.option(
    "--bundles",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder where bundles may lie already, such as a memory stick.",
)
@certificates_options
def worker_command(
    label: str,
    scheduler: str,
    listen: str | None,
    bundles: Path | None,
    certificates: Path | None,
    no_tls: bool,
) -> None:
    """Be a device of the fleet until Ctrl-C.

    It measures as `steelyard run --bundle` does, keeps every record until it is home, and joins
    again when the scheduler was gone. One worker a device: two would disturb each other.
    """
    from steelyard.fleet import addresses, labels
    from steelyard.prepare.cache import Cache

    folder = _folder(certificates, no_tls=no_tls)
    place = addresses.parse(scheduler, "--scheduler")
    own = addresses.parse(listen, "--listen", port=0) if listen else None
    labels.check(label)
    _require_dask()
    cache = Cache.default()
    cache.check()
    from steelyard.fleet.joining import Joining, join

    how = Joining(label=label, scheduler=place, certificates=folder, listen=own, bundles=bundles)
    join(how, cache, _tell)


@command.command(
    "run",
    epilog="Examples:  steelyard fleet run -k spam/ --scheduler 192.168.1.10   |   "
    "steelyard fleet run --bundle office.zip --device pi5-kitchen --device pi5-hall   |   "
    "steelyard fleet run --resume",
)
@suite_options
@scheduler_option
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="LABEL",
    help="Only this device, and wait for it; several: each.  [default: all that are there or join]",
)
@click.option(
    "--bundle",
    "packed",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Send what `steelyard bundle` packed, in place of SUITE.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=LOCAL,
    show_default=True,
    help="Where the run's folder is made.",
)
@click.option("--resume", is_flag=True, help="Continue this suite's newest fleet run.")
@click.option("--fresh", is_flag=True, help="Ask every item again; recall no earlier answer.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0.0),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a lost device, or the scheduler, is waited for.",
)
@offline_option
@certificates_options
def run_command(packed: Path | None, certificates: Path | None, no_tls: bool, **given: Any) -> int:
    """Run SUITE on every device of the fleet, and print its table.

    The suite is packed into a bundle here and sent to devices that lack it. Every record is
    verified and kept as it comes; after Ctrl-C or a crash, --resume goes on, and cells that
    devices have finished meanwhile are fetched. Exit code 3 where a cell is unfinished.
    """
    if packed is not None and (given["suite"] or given["quick"] or given["cards"]):
        raise OptionError("--bundle brings its suite and cards: leave the others out")
    from steelyard.fleet import addresses, labels

    for label in given["devices"]:
        labels.check(label)
    place = addresses.parse(given["scheduler"], "--scheduler")
    folder = _folder(certificates, no_tls=no_tls)
    addresses.check(place, "connecting to", folder)
    _require_dask()
    from steelyard.cli.fleet_run import Wanted, run

    wanted = Wanted(
        suite=given["suite"],
        quick=given["quick"],
        patterns=given["patterns"],
        cards=given["cards"],
        packed=packed,
        offline=given["offline"],
        devices=given["devices"],
        output=given["output"],
        resume=given["resume"],
        fresh=given["fresh"],
        wait_s=given["wait_s"],
    )
    return run(wanted, place, folder)


@command.command("status", epilog="Example:  steelyard fleet status --scheduler 192.168.1.10")
@scheduler_option
@click.option(
    "--format", "-f", "form", type=click.Choice(["table", "json"]), default="table",
    show_default=True,
)  # fmt: skip
@certificates_options
def status_command(scheduler: str, form: str, certificates: Path | None, no_tls: bool) -> int:
    """Show the fleet's devices and the cell each is at.

    Exit code 3 where the scheduler does not answer.
    """
    from steelyard.fleet import addresses

    place = addresses.parse(scheduler, "--scheduler")
    folder = _folder(certificates, no_tls=no_tls)
    addresses.check(place, "connecting to", folder)
    _require_dask()
    from steelyard.cli.fleet_run import show_status

    show_status(place, folder, as_json=form == "json")
    return 0


@command.command(
    "ssh",
    epilog="Examples:  steelyard fleet ssh pi@192.168.1.21 pi@192.168.1.22 --scheduler "
    "192.168.1.10   |   steelyard fleet ssh pi5-kitchen --print --scheduler 192.168.1.10",
)
@click.argument("hosts", nargs=-1, required=True, metavar="HOST...")
@scheduler_option
@click.option(
    "--command",
    "program",
    default="steelyard",
    show_default=True,
    help="What steelyard is called there, such as ~/.venv/bin/steelyard.",
)
@click.option("--print", "printed", is_flag=True, help="Print the commands and run none.")
@certificates_options
def ssh_command(
    hosts: tuple[str, ...],
    scheduler: str,
    program: str,
    printed: bool,
    certificates: Path | None,
    no_tls: bool,
) -> int:
    """Be workers on boards over ssh until Ctrl-C.

    A worker is started on each HOST, and stopped at the end. HOST is as `ssh` takes it;
    LABEL=HOST says what the device is called. Each gets ca.pem and its own certificate, and
    nothing else. steelyard has to be installed there.
    """
    from steelyard.fleet import addresses, over_ssh

    place = addresses.parse(scheduler, "--scheduler")
    folder = _folder(certificates, no_tls=no_tls)
    addresses.check(place, "connecting to", folder)
    desks = over_ssh.desks(hosts)
    if printed:
        for line in over_ssh.lines(desks, place, folder, program):
            click.echo(line)
        return 0
    return over_ssh.start(desks, place, folder, program, _tell)


def _folder(named: Path | None, *, no_tls: bool) -> Path | None:
    """Return where certificates are, None without TLS."""
    from steelyard.fleet import certificates

    if no_tls and named is not None:
        raise OptionError("--certificates and --no-tls contradict each other")
    return None if no_tls else named or certificates.default_folder()


def _require_dask() -> None:
    """Raise Refusal where Dask is not installed."""
    import importlib.util

    if importlib.util.find_spec("distributed") is None:
        raise Refusal("a fleet needs Dask's distributed\ntry: pip install steelyard[fleet]")


def _tell(message: str) -> None:
    click.echo(message, err=True)
