"""Recipes and sessions of pictures: trained, exported, opened, and held against other libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration.stripes import NAMES, answers, build, opened, scores, task

from steelyard import arrays
from steelyard.api import (
    Answer,
    Item,
    TrainingSet,
)
from steelyard.errors import PrepareError, WorkerError
from steelyard.recipes.hog_svm import HogSvm

pytestmark = pytest.mark.export
pytest.importorskip("sklearn")
pytest.importorskip("onnx")


def accuracy(pairs: list[tuple[Item, Answer]]) -> float:
    return sum(item.label == answer.label for item, answer in pairs) / len(pairs)


@pytest.mark.parametrize("labels", [NAMES, NAMES[:2]])
def test_exported_kernel_machines_score_as_scikit_learns(
    tmp_path: Path, labels: tuple[str, ...]
) -> None:
    from steelyard.backends.ort.hog_features import Grid, features
    from steelyard.recipes.hog_kernel import machine, project

    training = task(tmp_path, labels=labels)
    _, folder = build(HogSvm(), training, tmp_path, cells=["6"], cost=["2"], side=24, components=9)
    shown = arrays.Arrays(tmp_path)
    rows = np.stack([features(shown[row], Grid(cells=6, side=24)) for row in range(len(shown))])
    projection = project(rows[:60], 9)
    points = projection.points(rows)
    said = np.array([item.label for item in training.items])

    pairs = answers(opened("hog", training, folder), training, tmp_path)

    assert accuracy(pairs) > 0.8
    for column, label in enumerate(labels):
        trained = machine(2, projection.gamma).fit(points[:60], said[:60] == label)
        expected = trained.decision_function(points[60:])
        found = scores(answer for _, answer in pairs)[:, column]
        # libsvm stops within 1e-3 of the optimum, for one label and the other.
        np.testing.assert_allclose(found, expected, atol=2e-3)


def test_principal_components_are_scikit_learns_whichever_side_is_longer() -> None:
    from sklearn.decomposition import PCA

    from steelyard.recipes.hog_kernel import project

    draw = np.random.default_rng(0)
    for shape in ((40, 8), (8, 40)):
        rows = draw.normal(size=shape).astype(np.float32)
        expected = PCA(n_components=4, svd_solver="full").fit_transform(rows)

        found = project(rows, 4).points(rows)

        np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)


def test_the_grid_and_the_cost_are_chosen_and_the_bytes_are_the_same_again(
    tmp_path: Path,
) -> None:
    training = task(tmp_path)
    options: dict[str, Any] = {
        "cells": ["3", "6"],
        "cost": ["1", "10"],
        "side": 24,
        "components": 20,
    }

    report, one = build(HogSvm(), training, tmp_path, **options)
    _, other = build(HogSvm(), training, tmp_path, **options)

    assert "3-fold accuracy" in report.notes[0]
    assert report.labelled_items == 60
    assert (one / "hog.onnx").read_bytes() == (other / "hog.onnx").read_bytes()


def test_a_grid_too_fine_for_the_pictures_is_not_tried(tmp_path: Path) -> None:
    training = task(tmp_path)

    report, _ = build(HogSvm(), training, tmp_path, side=24, cells=["9", "8"], cost=["1"])

    assert report.notes[0].startswith("fold 0: 8 cells a side")


def test_what_a_picture_is_tested_on_does_not_change_the_machine(tmp_path: Path) -> None:
    training = task(tmp_path)
    alone = TrainingSet(
        task=training.task,
        labels=training.labels,
        folds=1,
        items=tuple(item for item in training.items if item.fold is None),
    )

    _, one = build(HogSvm(), training, tmp_path, side=24, cells=["6"])
    _, other = build(HogSvm(), alone, tmp_path, side=24, cells=["6"])

    assert (one / "hog.onnx").read_bytes() == (other / "hog.onnx").read_bytes()


def test_batches_answer_as_single_pictures_do(tmp_path: Path) -> None:
    training = task(tmp_path)
    _, folder = build(HogSvm(), training, tmp_path, side=24, cells=["6"])
    session, rows = opened("hog", training, folder), arrays.Arrays(tmp_path)
    single = scores(answer for _, answer in answers(session, training, tmp_path))

    batch = session.decode_batch(
        session.infer_batch(session.encode_batch([rows[row] for row in range(60, 120)]))
    )

    np.testing.assert_allclose(scores(batch), single, atol=1e-5)


def test_features_of_another_version_are_refused(tmp_path: Path) -> None:
    training = task(tmp_path)
    _, folder = build(HogSvm(), training, tmp_path, side=24, cells=["6"])
    facts = (folder / "hog.json").read_text()
    (folder / "hog.json").write_text(facts.replace('"version":1', '"version":0'))

    with pytest.raises(WorkerError, match="features of version 0"):
        opened("hog", training, folder)


def test_pictures_that_are_all_alike_teach_nothing(tmp_path: Path) -> None:
    training = task(tmp_path)
    arrays.write(tmp_path, [np.zeros((24, 24), np.uint8)] * 120)

    with pytest.raises(PrepareError, match="the same features"):
        build(HogSvm(), training, tmp_path, side=24, cells=["6"])


def test_a_network_of_our_own_learns_and_gives_the_same_bytes_again(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from steelyard.recipes.image_cnn import ImageCnn

    training = task(tmp_path, n=90)
    (report, one), (_, other) = (
        build(ImageCnn(), training, tmp_path, epochs=12, turned=False) for _ in range(2)
    )

    pairs = answers(opened("array", training, one), training, tmp_path)

    assert accuracy(pairs) > 0.8
    assert (one / "array.onnx").read_bytes() == (other / "array.onnx").read_bytes()
    assert report.parameters == 78_179


def test_a_graph_computes_what_torchs_network_does() -> None:
    import onnxruntime as ort

    torch = pytest.importorskip("torch")
    from steelyard.recipes import image_network

    for side, stride in ((130, 2), (28, 1)):
        shape = image_network.Shape(height=side, width=side, pool=1, labels=3)
        assert shape.stride == stride
        torch.manual_seed(0)
        network = image_network._network(shape).eval()
        for norm in network["norms"]:
            norm.running_mean.uniform_(-0.5, 0.5)
            norm.running_var.uniform_(0.5, 2.0)
        pictures = torch.randn(2, 1, side, side)
        with torch.no_grad():
            expected = image_network._scores(network, pictures).numpy()
        made = image_network.graph(image_network._folded(network), shape)

        found = ort.InferenceSession(made).run(None, {"picture": pictures.numpy()})[0]

        np.testing.assert_allclose(np.asarray(found), expected, atol=1e-4)


def test_torchs_own_old_files_are_read_as_torch_reads_them(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from steelyard.recipes.efficientnet_weights import tensors

    torch.manual_seed(0)
    given = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict()
    given["turned"] = torch.randn(2, 3, 4).permute(2, 0, 1)
    path = tmp_path / "old.pth"
    torch.save(given, path, _use_new_zipfile_serialization=False)

    found = tensors(path)

    assert list(found) == list(given)
    for name, value in given.items():
        np.testing.assert_array_equal(found[name], value.numpy())


def test_torchs_newer_files_are_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from steelyard.recipes.efficientnet_weights import tensors

    torch.save({"a": torch.zeros(1)}, tmp_path / "new.pth")

    with pytest.raises(PrepareError, match="no tensors that can be read safely"):
        tensors(tmp_path / "new.pth")
