"""Where a cell may run: devices in plans, providers of onnxruntime, and no silent CPU."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from steelyard import catalog, devices, host, plan
from steelyard.api import Label, SessionSpec
from steelyard.card import Option
from steelyard.errors import CardError, PrepareError, Refusal, WorkerError
from steelyard.host.accelerators import DOORS
from steelyard.host.machine import Machine
from steelyard.recipes import published_files
from steelyard.recipes.decoder_gguf import Gguf

pytest.importorskip("onnxruntime")

from steelyard.backends.ort import providers

AVAILABLE = [providers.CUDA, providers.CPU]


def spec(device: str = "cuda", **options: Option) -> SessionSpec:
    return SessionSpec(
        artifact="none",
        session="linear",
        threads=1,
        labels=(Label(id="a", words="a"),),
        options=options,
        device=device,
    )


def having(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: list(names))


def test_a_gpu_is_seen_by_its_door(tmp_path: Path) -> None:
    machine = Machine(root=tmp_path)
    assert "no NVIDIA GPU is to be seen" in (host.no_cuda(machine) or "")

    for door in DOORS:
        place = tmp_path / door
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        assert host.no_cuda(machine) is None
        place.unlink()


def test_the_gpu_suite_asks_the_default_suites_items_of_its_generalists(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host, "no_cuda", lambda: None)
    found = catalog.load()
    gpu, default = (plan.load_suite(Path(name)) for name in ("gpu", "default"))

    cells = plan.cells(gpu, found, cores=2)

    slow = [cell for cell in plan.cells(default, found, cores=2) if cell.prompted]
    assert {(c.cell.task, c.cell.model) for c in cells} == {
        (c.cell.task, c.cell.model) for c in slow
    }
    facts = {(c.sample, c.balanced, c.prompt_items, c.seed) for c in cells}
    assert facts == {(c.sample, c.balanced, c.prompt_items, c.seed) for c in slow}
    assert {c.cell.device for c in cells} == {"cuda"}
    assert not [c.refusal for c in cells if c.refusal]


def test_without_a_gpu_every_cell_of_the_gpu_suite_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host, "no_cuda", lambda: "no NVIDIA GPU is to be seen")

    cells = plan.cells(plan.load_suite(Path("gpu")), catalog.load(), cores=2)

    assert {cell.refusal for cell in cells} == {"no NVIDIA GPU is to be seen"}


@pytest.mark.parametrize("device", ["gpu", "cuda-0", "cpu", "cpu-0t", ""])
def test_a_device_that_cannot_be_meant_is_an_error(device: str) -> None:
    with pytest.raises(CardError, match=r"--device: expected cpu-1t, .* or cuda, got"):
        devices.check(device, "--device")


def test_on_the_cpu_the_cpu_is_asked_for_and_on_a_gpu_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    having(monkeypatch, *AVAILABLE)

    assert providers.chosen(spec("cpu")) == [providers.CPU]
    assert providers.chosen(spec("cuda")) == [providers.CUDA, providers.CPU]


def test_a_gpu_without_its_provider_is_refused_with_the_install_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    having(monkeypatch, providers.CPU)

    with pytest.raises(Refusal, match=r"no CUDAExecutionProvider, only CPU(.|\n)*steelyard\[gpu\]"):
        providers.chosen(spec("cuda"))


@pytest.mark.parametrize(
    ("device", "named", "message"),
    [
        ("cpu", [providers.CUDA], "no provider of device 'cpu'"),
        ("cuda", [providers.CPU], "the first is one of CUDAExecutionProvider"),
        ("cuda", [providers.CPU, providers.CUDA], "the first is one of CUDAExecutionProvider"),
        ("cuda", [], "none given"),
        ("cpu", "CUDA", "expected list, got str"),
    ],
)
def test_a_provider_of_another_device_is_an_error(
    device: str, named: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    having(monkeypatch, *AVAILABLE)

    with pytest.raises(WorkerError, match=message):
        providers.chosen(spec(device, providers=named))


class FakeSession:
    """A provider that starts, or not, and computes, rightly or not."""

    product: Any = None
    got: tuple[str, ...] = ()
    fault: Exception | None = None

    def __init__(self, *_: Any, **__: Any) -> None:
        if self.fault is not None:
            raise self.fault

    def run(self, _: list[str], given: dict[str, Any]) -> list[Any]:
        right = given["a"] @ given["b"]
        return [right if self.product is None else self.product]

    def get_providers(self) -> list[str]:
        return list(self.got)


@pytest.mark.parametrize(
    ("session", "message"),
    [
        ({"got": (providers.CUDA, providers.CPU)}, None),
        ({"got": (providers.CPU,)}, "fell back to CPUExecutionProvider"),
        ({"got": (providers.CUDA,), "product": np.zeros((8, 8))}, "a wrong product"),
        ({"fault": RuntimeError("CUDA error 209:\n no kernel image")}, "error 209: no kernel"),
    ],
)
def test_a_gpus_provider_is_believed_after_a_right_product_only(
    session: dict[str, Any], message: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    providers._smoke.cache_clear()
    monkeypatch.setattr("onnxruntime.InferenceSession", type("Fake", (FakeSession,), session))

    if message is None:
        providers.believed([providers.CUDA])
    else:
        with pytest.raises(Refusal, match=message):
            providers.believed([providers.CUDA])
    providers._smoke.cache_clear()


def test_the_smoke_graph_is_a_product_that_onnxruntime_reads() -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(providers.SMOKE, providers=[providers.CPU])
    left = np.arange(64, dtype=np.float32).reshape(8, 8)

    found = session.run(["c"], {"a": left, "b": left.T.copy()})[0]

    np.testing.assert_array_equal(np.asarray(found), left @ left.T)


def test_a_gguf_whose_positions_are_scaled_is_refused_and_not_computed_wrongly() -> None:
    gguf = Gguf.__new__(Gguf)
    vars(gguf)["_tensors"] = {"rope_freqs.weight": SimpleNamespace()}

    with pytest.raises(PrepareError, match="scales its rotary positions"):
        gguf.config()


def test_weights_are_counted_by_the_header_of_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    head = b'{"__metadata__":{"format":"pt"},"a":{"shape":[2,3]},"b":{"shape":[]}}'
    path.write_bytes(len(head).to_bytes(8, "little") + head + bytes(28))

    assert published_files.parameters([path]) == 7


@pytest.mark.parametrize("content", [b"", b"\x80\x04.", b"\xff" * 64, bytes(8) + b"{}"])
def test_what_is_no_safetensors_file_is_said_so(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)

    with pytest.raises(PrepareError, match="not a safetensors file"):
        published_files.parameters([path])


def test_weights_are_linked_also_through_a_link(tmp_path: Path) -> None:
    """The snapshots of a hub's own cache are links to its blobs."""
    (tmp_path / "blob").write_bytes(b"weights")
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "blob")

    published_files.link(tmp_path / "model.safetensors", tmp_path / "linked")

    assert not (tmp_path / "linked").is_symlink()
    assert (tmp_path / "linked").stat().st_ino == (tmp_path / "blob").stat().st_ino
