"""EfficientNet-Lite drawn from weights: against torch's layers, and with the published weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration.stripes import answers, build, opened, scores, task

from steelyard import arrays, catalog
from steelyard.errors import PrepareError
from steelyard.prepare.cache import Cache
from steelyard.prepare.fetch import fetch
from steelyard.progress import Silent
from steelyard.recipes import efficientnet_graph
from steelyard.recipes.efficientnet_features import EfficientnetFeatures
from steelyard.recipes.efficientnet_weights import tensors

pytestmark = pytest.mark.export
torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

# (made channels, kernel) of ten blocks in seven stages: a small EfficientNet.
BLOCKS = ((4, 3), (6, 3), (6, 3), (8, 5), (10, 3), (10, 3), (12, 5), (14, 5), (14, 5), (16, 3))
STRIDES = (1, 2, 1, 2, 2, 1, 1, 2, 1, 1)


def weights(classes: int = 5) -> dict[str, Any]:
    """Return random weights of a small network, named as the published ones are."""
    torch.manual_seed(0)
    made: dict[str, Any] = {}

    def layer(name: str, norm: str, out: int, into: int, kernel: int) -> None:
        made[f"{name}.weight"] = torch.randn(out, into, kernel, kernel) * (2 / into) ** 0.5 / kernel
        made[f"{norm}.weight"], made[f"{norm}.bias"] = torch.rand(out) + 0.5, torch.rand(out) / 2
        made[f"{norm}.running_mean"] = torch.randn(out) / 4
        made[f"{norm}.running_var"] = torch.rand(out) + 0.5

    layer("_conv_stem", "_bn0", 8, 3, 3)
    width = 8
    for number, (out, kernel) in enumerate(BLOCKS):
        name, wide = f"_blocks.{number}.", width if number == 0 else 2 * width
        if number:
            layer(f"{name}_expand_conv", f"{name}_bn0", wide, width, 1)
        layer(f"{name}_depthwise_conv", f"{name}_bn1", wide, 1, kernel)
        layer(f"{name}_project_conv", f"{name}_bn2", out, wide, 1)
        width = out
    layer("_conv_head", "_bn1", 24, width, 1)
    made["_fc.weight"], made["_fc.bias"] = torch.randn(classes, 24), torch.randn(classes)
    return made


def forward(made: dict[str, Any], pictures: Any) -> Any:
    """Compute the features of normalised colour pictures with torch's own layers."""
    from torch.nn import functional

    def layer(name: str, norm: str, shown: Any, stride: int = 1, *, clip: bool = True) -> Any:
        kernel = made[f"{name}.weight"]
        pads: list[int] = []
        for size in reversed(shown.shape[2:]):
            spare = max(0, (-(-size // stride) - 1) * stride + kernel.shape[2] - size)
            pads += [spare // 2, spare - spare // 2]
        groups = shown.shape[1] if kernel.shape[1] == 1 and "depthwise" in name else 1
        shown = functional.conv2d(functional.pad(shown, pads), kernel, stride=stride, groups=groups)
        shown = functional.batch_norm(
            shown,
            made[f"{norm}.running_mean"],
            made[f"{norm}.running_var"],
            made[f"{norm}.weight"],
            made[f"{norm}.bias"],
            eps=1e-3,
        )
        return functional.relu6(shown) if clip else shown

    shown = layer("_conv_stem", "_bn0", pictures, 2)
    for number, stride in enumerate(STRIDES):
        name, came = f"_blocks.{number}.", shown
        if number:
            shown = layer(f"{name}_expand_conv", f"{name}_bn0", shown)
        shown = layer(f"{name}_depthwise_conv", f"{name}_bn1", shown, stride)
        shown = layer(f"{name}_project_conv", f"{name}_bn2", shown, clip=False)
        if stride == 1 and shown.shape == came.shape:
            shown = shown + came
    return layer("_conv_head", "_bn1", shown).mean(dim=(2, 3))


def saved(folder: Path) -> dict[str, Path]:
    path = folder / "small.pth"
    torch.save(weights(), path, _use_new_zipfile_serialization=False)
    return {"small.pth": path}


@pytest.mark.parametrize("size", [32, 45, 64])
def test_the_drawn_graph_computes_what_torchs_layers_do(tmp_path: Path, size: int) -> None:
    import onnxruntime as ort

    made = weights()
    pictures = torch.rand(2, 3, size, size)
    constants = (efficientnet_graph.MEAN, efficientnet_graph.DEVIATION)
    mean, deviation = (torch.tensor(one).reshape(1, 3, 1, 1) for one in constants)
    with torch.no_grad():
        expected = forward(made, (pictures - mean) / deviation)
    read = tensors(saved(tmp_path)["small.pth"])
    sight = efficientnet_graph.Sight(height=size, width=size, channels=3, size=size)

    drawn = efficientnet_graph.graph(read, sight, None)
    found = ort.InferenceSession(drawn).run(None, {"picture": pictures.numpy()})[0]

    np.testing.assert_allclose(np.asarray(found), expected.numpy(), rtol=1e-3, atol=1e-4)


def test_a_grey_picture_is_one_of_three_equal_colours(tmp_path: Path) -> None:
    import onnxruntime as ort

    read = tensors(saved(tmp_path)["small.pth"])
    grey = np.random.default_rng(0).random((1, 1, 40, 50), np.float32)
    found: list[Any] = []
    for channels in (1, 3):
        sight = efficientnet_graph.Sight(height=40, width=50, channels=channels, size=32)
        drawn = efficientnet_graph.graph(read, sight, efficientnet_graph.own_head(read))
        shown = {"picture": np.repeat(grey, channels, axis=1)}
        found.append(ort.InferenceSession(drawn).run(None, shown)[0])

    assert found[0].shape == (1, 5)
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)


def test_the_head_is_a_logistic_regression_on_standardised_features(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    training, files = task(tmp_path, side=32), saved(tmp_path)
    report, folder = build(EfficientnetFeatures(), training, tmp_path, files, size=32, cost=["0.1"])
    shown = np.stack([arrays.Arrays(tmp_path)[row] for row in range(120)])
    colours = torch.from_numpy(shown / 255).float()[:, None].repeat(1, 3, 1, 1)
    constants = (efficientnet_graph.MEAN, efficientnet_graph.DEVIATION)
    mean, deviation = (torch.tensor(one).reshape(1, 3, 1, 1) for one in constants)
    with torch.no_grad():
        rows = forward(weights(), (colours - mean) / deviation).numpy()
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    model.fit(rows[:60], [item.label for item in training.items[:60]])
    order = [list(model.classes_).index(label.id) for label in training.labels]

    pairs = answers(opened("array", training, folder), training, tmp_path)

    found = scores(answer for _, answer in pairs)
    np.testing.assert_allclose(found, model.predict_proba(rows[60:])[:, order], atol=2e-3)
    assert report.labelled_items == 60


def test_the_cost_is_chosen_by_cross_validation(tmp_path: Path) -> None:
    training, files = task(tmp_path), saved(tmp_path)

    report, _ = build(EfficientnetFeatures(), training, tmp_path, files, size=32, cost=["0.1", "1"])

    assert "3-fold accuracy" in report.notes[0]


def test_int8_keeps_the_named_nodes_and_most_answers(tmp_path: Path) -> None:
    import onnx

    from steelyard.recipes.array_int8 import ArrayInt8

    training, files = task(tmp_path, side=32), saved(tmp_path)
    _, folder = build(EfficientnetFeatures(), training, tmp_path, files, size=32, cost=["0.01"])
    (folder.parent / "build.json").write_bytes(b'{"parameters":1}')
    options = {"items": 30, "keep": ["conv_stem", "means", "head"]}
    _, int8 = build(ArrayInt8(), training, tmp_path, files, base=folder.parent, **options)

    full, twin = (
        answers(opened("array", training, one), training, tmp_path) for one in (folder, int8)
    )

    same = [one.label == other.label for (_, one), (_, other) in zip(full, twin, strict=True)]
    assert sum(same) > 0.6 * len(same)
    graph = onnx.load(str(int8 / "array.onnx")).graph
    made = {name: node.op_type for node in graph.node for name in node.output}
    given = {node.name: {made.get(name) for name in node.input} for node in graph.node}
    assert "DequantizeLinear" in given["conv_head"]
    assert "DequantizeLinear" not in given["conv_stem"] | given["head"]


def test_a_node_that_is_not_there_cannot_be_kept(tmp_path: Path) -> None:
    from steelyard.recipes.static_int8 import quantise

    read = tensors(saved(tmp_path)["small.pth"])
    sight = efficientnet_graph.Sight(height=32, width=32, channels=1, size=32)
    (tmp_path / "g.onnx").write_bytes(efficientnet_graph.graph(read, sight, None))

    with pytest.raises(PrepareError, match="no node heads to keep"):
        quantise(tmp_path / "g.onnx", tmp_path / "q.onnx", [], keep=["heads"])


def test_weights_of_another_network_are_refused() -> None:
    made = {name: value.numpy() for name, value in weights().items() if "_blocks.9" not in name}
    sight = efficientnet_graph.Sight(height=32, width=32, channels=1, size=32)

    with pytest.raises(PrepareError, match="6 stages, an EfficientNet has 7"):
        efficientnet_graph.graph(made, sight, None)


# Classes of ImageNet: 281 to 285 are cats, 967 is an espresso.
@pytest.mark.network
@pytest.mark.parametrize(
    ("model", "size", "parameters"),
    [("efficientnet-lite0", 224, 3_371_008), ("efficientnet-lite2", 260, 4_811_072)],
)
def test_the_published_weights_know_a_cat_and_an_espresso(
    tmp_path: Path, model: str, size: int, parameters: int
) -> None:
    import onnxruntime as ort

    data = pytest.importorskip("skimage.data")
    card = catalog.load().model(model)
    (path,) = fetch(card.card.files, card.folder, Cache(tmp_path), Silent()).values()
    read = tensors(path)
    assert efficientnet_graph.size(read) == parameters

    for picture, classes in ((data.chelsea(), range(281, 286)), (data.coffee(), [967])):
        side = min(picture.shape[:2])
        shown = picture[:side, :side].transpose(2, 0, 1)[None].astype(np.float32) / 255
        sight = efficientnet_graph.Sight(height=side, width=side, channels=3, size=size)
        drawn = efficientnet_graph.graph(read, sight, efficientnet_graph.own_head(read))
        found = ort.InferenceSession(drawn).run(None, {"picture": shown})[0]
        assert int(np.asarray(found).argmax()) in classes
