"""The fleet's small parts: addresses, labels, messages, bundles on a device, ssh, certificates."""

from __future__ import annotations

import hashlib
import ssl
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.unit import builders

from steelyard.errors import FleetError, OptionError, PrepareError, Refusal
from steelyard.fleet import addresses, certificates, labels, messages, over_ssh, tasks
from steelyard.fleet.addresses import Place
from steelyard.fleet.bundles import Shelf
from steelyard.fleet.messages import Offer, Order, Part, Ready, Unready
from steelyard.fleet.tasks import Present

DATA = bytes(range(256)) * 4
OPEN = ".".join("0000")
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.168.1.10", "192.168.1.10", 8786),
        ("board:9000", "board", 9000),
        ("tls://10.0.0.1:1", "10.0.0.1", 1),
        ("[fe80::1]:80", "fe80::1", 80),
        ("::1", "::1", 8786),
    ],
)
def test_an_address_is_a_host_and_perhaps_a_port(text: str, host: str, port: int) -> None:
    assert addresses.parse(text, "--scheduler") == Place(host=host, port=port)


@pytest.mark.parametrize("text", ["", ":80", "a:b", "a:70000", "http://a", "[::1", "a:²"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="expected HOST:PORT"):
        addresses.parse(text, "--scheduler")


def test_an_address_is_written_as_dask_writes_it() -> None:
    assert Place(host="::1", port=5).url(secure=True) == "tls://[::1]:5"
    assert Place(host="a", port=5).url(secure=False) == "tcp://a:5"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_the_loopback_needs_no_tls(host: str) -> None:
    addresses.check(Place(host=host, port=0), "listening on", None)


@pytest.mark.parametrize("host", [OPEN, "::", "192.168.1.1", "board", "localhost.example"])
def test_nothing_listens_in_the_open_without_tls(host: str, tmp_path: Path) -> None:
    place = Place(host=host, port=0)

    with pytest.raises(Refusal, match="not without TLS"):
        addresses.check(place, "listening on", None)

    addresses.check(place, "listening on", tmp_path)


@pytest.mark.parametrize("label", ["", "Pi5", "a/b", "..", "-x", "a b", "a" * 65])
def test_a_label_becomes_a_folder_and_leads_nowhere_else(label: str) -> None:
    with pytest.raises(OptionError, match="no label"):
        labels.check(label)


def test_a_record_at_home_names_its_device_and_the_rest_stays() -> None:
    record = builders.record()

    home = labels.at_home(record, "pi5")

    assert home.cell.id == "spam/tiny@int8/pi5.cpu-1t" == labels.home_id(record.cell.id, "pi5")
    assert home.threads == record.threads


def test_messages_come_through_as_they_were() -> None:
    offer = Offer(run="r", bundle_sha256=DIGEST, size_bytes=5, patterns=("spam/",))
    ready = Ready(header=builders.header(), cells=("a", "b"))

    assert messages.request(messages.pack(offer)) == offer
    assert messages.answer(messages.pack(ready)) == ready


@pytest.mark.parametrize("data", [b"", b"\xff", messages.pack(Unready())])
def test_what_is_no_request_is_refused_before_anything_is_done(data: bytes) -> None:
    with pytest.raises(FleetError, match="another steelyard"):
        messages.request(data)


def test_a_bundle_is_taken_in_parts_and_used_when_its_hash_is_right(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "own")

    assert shelf.find(DIGEST, len(DATA)) == 0
    assert shelf.add(DIGEST, 0, DATA[:100]) == 100
    assert shelf.add(DIGEST, 0, DATA[:100]) == 100  # the answer was lost: sent twice
    assert shelf.find(DIGEST, len(DATA)) == 100
    assert shelf.add(DIGEST, 100, DATA[100:]) == len(DATA)
    found = shelf.find(DIGEST, len(DATA))

    assert isinstance(found, Path)
    assert found.read_bytes() == DATA
    shelf.forget(DIGEST)
    assert shelf.find(DIGEST, len(DATA)) == 0


def test_a_bundle_that_came_wrong_is_begun_anew(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.add(DIGEST, 0, DATA[:-1] + b"!")

    assert shelf.find(DIGEST, len(DATA)) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_on_a_memory_stick_need_not_be_sent(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "other.zip").write_bytes(DATA[::-1])
    (stick / "suite.zip").write_bytes(DATA)

    assert Shelf(tmp_path / "own", stick).find(DIGEST, len(DATA)) == stick / "suite.zip"


@pytest.mark.parametrize("digest", ["../" + "a" * 61, "A" * 64, "a" * 63])
def test_a_bundles_name_comes_over_the_wire_and_leads_nowhere(tmp_path: Path, digest: str) -> None:
    with pytest.raises(FleetError, match="no sha256"):
        Shelf(tmp_path).add(digest, 0, b"x")


def test_boards_are_called_after_their_hosts_unless_named() -> None:
    found = over_ssh.desks(["pi@192.168.1.21", "kitchen=pi@pi5", "Board_2"])

    assert [one.label for one in found] == ["192.168.1.21", "kitchen", "board_2"]
    assert [one.host for one in found] == ["pi@192.168.1.21", "pi@pi5", "Board_2"]


@pytest.mark.parametrize("hosts", [["pi@a", "root@a"], ["-oProxyCommand=x"], ["a=-oX=y"], ["A!=b"]])
def test_hosts_that_are_options_or_share_a_label_are_refused(hosts: list[str]) -> None:
    with pytest.raises(OptionError):
        over_ssh.desks(hosts)


def test_what_ssh_would_run_can_be_read_first(tmp_path: Path) -> None:
    place = Place(host="10.0.0.1", port=8786)

    lines = list(over_ssh.lines(over_ssh.desks(["pi@x"]), place, tmp_path, "steelyard"))

    assert "ca.pem" in lines[0]
    assert "device-x.pem" in lines[0]
    assert "ca-key" not in " ".join(lines)
    assert "--device x --scheduler tls://10.0.0.1:8786" in lines[1]


def test_certificates_are_of_one_authority_private_and_made_once(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")

    first = certificates.make(tmp_path, ["pi5"])
    again = certificates.make(tmp_path, ["pi5", "hall"])

    assert [path.name for path in first] == [
        "ca.pem", "ca-key.pem", "scheduler.pem", "client.pem", "device-pi5.pem"
    ]  # fmt: skip
    assert [path.name for path in again] == ["device-hall.pem"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (*first, *again))
    assert not shown(tmp_path, certificates.make(tmp_path / "other")[2])
    for name in ("scheduler.pem", "device-pi5.pem", "device-hall.pem"):
        assert shown(tmp_path, tmp_path / name)


def shown(folder: Path, certificate: Path) -> bool:
    """Shake hands in memory; return whether each side takes the other's certificate."""
    ways = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "scheduler.pem")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_cert_chain(certificate)
    for context in (server, client):
        context.load_verify_locations(folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    sides = [
        server.wrap_bio(ways[0], ways[1], server_side=True),
        client.wrap_bio(ways[1], ways[0]),
    ]
    for _ in range(10):
        for side in list(sides):
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                return False
    return not sides


def test_an_authority_without_its_key_makes_no_other(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    certificates.make(tmp_path)
    (tmp_path / "ca-key.pem").unlink()

    with pytest.raises(PrepareError, match=r"no ca-key\.pem"):
        certificates.make(tmp_path, ["new"])


def test_a_missing_certificate_says_what_to_copy(tmp_path: Path) -> None:
    pytest.importorskip("distributed")

    with pytest.raises(Refusal, match=r"device-x\.pem|ca\.pem"):
        certificates.security(tmp_path, certificates.worker_file("x"))


def test_an_order_says_which_cell_of_which_run() -> None:
    order = Order(run="r", cell="spam/tiny@int8/cpu-1t")

    assert messages.request(messages.pack(order)) == order
    assert messages.request(messages.pack(Part(bundle_sha256=DIGEST, begin=3, data=b"\0"))) == Part(
        bundle_sha256=DIGEST, begin=3, data=b"\0"
    )


def test_a_scheduler_tells_which_cell_a_device_is_at() -> None:
    def worker(*keys: object) -> SimpleNamespace:
        under_way = [SimpleNamespace(key=key) for key in keys]
        return SimpleNamespace(
            name="a",
            address="tls://10.0.0.2:1",
            last_seen=time.time(),
            processing=under_way,
            executing=dict.fromkeys(keys, 7.0),
        )

    scheduler: Any = SimpleNamespace(
        workers={1: worker(("order", "a", "spam/m@int8/cpu-1t", "f00")), 2: worker("of-another")}
    )

    told = msgspec.json.decode(tasks.present(scheduler), type=list[Present])

    assert [one.under_way for one in told] == [("order|a|spam/m@int8/cpu-1t|f00",), ("of-another",)]
    assert told[0].busy_s == 7.0
