"""What a device sends is kept only where it is whole and what was ordered."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from msgspec import structs
from tests.unit import builders
from tests.unit.fleeting import CELLS, RUN, delivery, home, record

from steelyard import store
from steelyard.errors import FleetError
from steelyard.fleet.keeping import Home
from steelyard.fleet.messages import Delivery, Ready
from steelyard.record import Prediction
from steelyard.record_file import encode
from steelyard.store import Journal

ANSWERS = (
    Prediction(id="1", expected="yes", answer="yes"),
    Prediction(id="2", expected="no", answer="yes"),
)
LINES = b"".join(encode(one) + b"\n" for one in ANSWERS)


def answered(packed: bytes | None, lines: bytes = LINES) -> Delivery:
    """A record that names the predictions `lines`, and the ones that came with it."""
    digest = hashlib.sha256(lines).hexdigest()
    body = encode(structs.replace(record(CELLS[0]), predictions_sha256=digest))
    sha256 = hashlib.sha256(body).hexdigest()
    return Delivery(run=RUN, record=body, sha256=sha256, predictions=packed)


def tampered() -> Delivery:
    """A record in which a digit of its duration was changed on the way."""
    good = delivery(CELLS[0])
    body = good.record.replace(b'"seconds":1.5', b'"seconds":0.5')
    assert body != good.record
    return structs.replace(good, record=body)


@pytest.fixture
def there(tmp_path: Path) -> Home:
    made = home(tmp_path)
    made.enrol("a", Ready(header=builders.header(), cells=CELLS))
    return made


def kept(there: Home) -> list[str]:
    return [one.cell.id for one in Journal.read(there.folder / "a").records]


def test_a_whole_delivery_is_kept_with_its_predictions(there: Home) -> None:
    came = there.keep("a", CELLS[0], answered(gzip.compress(LINES)))

    digest = hashlib.sha256(LINES).hexdigest()
    assert came.predictions_sha256 == digest
    assert kept(there) == ["spam/tiny@int8/a.cpu-1t"]
    assert store.read_predictions(there.folder / "a", digest) == ANSWERS


@pytest.mark.parametrize(
    ("came", "said"),
    [
        (tampered(), "the record is not what was sent: its sha256 differs"),
        (delivery(CELLS[1]), f"the record is of {CELLS[1]}"),
        (answered(None), "did not come together"),
        (answered(b"not gzip"), "predictions cannot be read"),
        (answered(gzip.compress(LINES)[:-9]), "predictions cannot be read"),
        (answered(gzip.compress(LINES.replace(b"no", b"yes"))), "not those that the record names"),
        (answered(gzip.compress(b"{}\n"), b"{}\n"), "predictions of another version"),
        (answered(gzip.compress(LINES + b"\n"), LINES + b"\n"), "predictions"),
    ],
)
def test_what_was_tampered_with_on_the_way_is_not_kept(
    there: Home, came: Delivery, said: str
) -> None:
    with pytest.raises(FleetError, match=said):
        there.keep("a", CELLS[0], came)

    assert kept(there) == []
