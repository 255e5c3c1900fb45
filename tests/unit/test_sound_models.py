"""Models of sound: mel filters, features, thresholds, frames with a state, a stream of networks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.api import Label, SessionSpec
from steelyard.backends import log_mel
from steelyard.backends.ctranslate2 import CTranslate2
from steelyard.backends.ctranslate2.text_match import fewest_errors
from steelyard.backends.tflite import TfLite, stream
from steelyard.errors import WorkerError
from steelyard.recipes.energy_vad import threshold

LABELS = tuple(Label(id=name, words=name) for name in ("speech", "no-speech"))
CLIP = np.arange(16_384, dtype="<i2")


def spec(session: str, **options: Any) -> SessionSpec:
    return SessionSpec(artifact="none", session=session, threads=1, labels=LABELS, options=options)


def test_slaneys_scale_is_linear_to_1_khz_and_logarithmic_above() -> None:
    # librosa.hz_to_mel([60, 1000, 6400]) = [0.9, 15, 42] by its documentation and definition.
    assert log_mel.to_mel(np.array([60.0, 1000.0, 6400.0])).tolist() == pytest.approx([0.9, 15, 42])


@given(st.floats(1, 8000))
def test_the_mel_scale_has_an_inverse(hertz: float) -> None:
    assert log_mel.to_hertz(log_mel.to_mel(np.array([hertz])))[0] == pytest.approx(hertz)


def test_a_filters_area_is_one_hertz_wide_whatever_its_band() -> None:
    made = log_mel.filters(16_000, 16_000, 20)  # one bin a hertz

    assert made.sum(axis=1).tolist() == pytest.approx([1.0] * 20, rel=1e-3)


def test_the_power_of_a_tone_stands_in_its_bin() -> None:
    wave = np.cos(2 * np.pi * 8 * np.arange(64) / 64)

    made = log_mel.powers(wave, 64, 64, np.ones(64))

    assert made.shape == (1, 33)
    assert made[0, 8] == pytest.approx(32**2)  # half the size, squared
    assert made[0].sum() == pytest.approx(32**2)


def features(kind: str, segments: int = 1) -> Callable[[Any], Any]:
    from steelyard.backends.ort.sound_features import maker

    return maker(kind, 16_000, segments)  # type: ignore[arg-type]


def loud(*parts: tuple[int, float]) -> Any:
    """Return white noise of a loudness each: (samples, loudness)."""
    source = np.random.default_rng(0)
    return np.concatenate([source.standard_normal(n) * size for n, size in parts]).astype("<i2")


def test_the_contrast_of_energy_is_how_much_louder_the_loud_frames_are() -> None:
    contrast, _, flattest, level = features("energy")(loud((8192, 100), (8192, 1000)))

    assert contrast == pytest.approx(20, abs=2)
    assert -4 < flattest < -1  # of white noise: -2.5 dB, Euler's constant in decibels
    assert level > features("energy")(loud((16_384, 100)))[3]


def test_statistics_of_a_clip_do_not_depend_on_its_level_but_for_the_last() -> None:
    soft, hard = (features("statistics", 4)(loud((16_384, size))) for size in (100, 1000))

    assert len(soft) == 40 * (3 + 4) + 1
    assert np.abs(hard - soft)[:-1].max() < 0.5
    assert hard[-1] - soft[-1] == pytest.approx(20, abs=0.1)


def test_a_spectrogram_has_a_frame_every_16_ms() -> None:
    assert features("spectrogram")(CLIP).shape == (40, 63)


def test_a_clip_shorter_than_its_stretches_is_refused() -> None:
    with pytest.raises(WorkerError, match="too short"):
        features("statistics", 16)(CLIP[:4000])


def test_a_threshold_lies_between_the_two_sides() -> None:
    values = np.array([1.0, 2.0, 3.0, 10.0, 11.0])

    assert threshold(values, values > 5) == (1.0, 6.5, 1)
    assert threshold(values, values < 2.5) == (1.0, 2.5, -1)


def test_equal_values_are_not_parted_by_a_threshold() -> None:
    values = np.array([1.0, 1.0, 1.0, 2.0])

    right, bound, sign = threshold(values, np.array([False, True, False, True]))

    assert (right, bound, sign) == (0.75, 1.5, 1)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30))
def test_a_threshold_gets_right_what_it_says_and_no_worse_than_always_one_answer(
    pairs: list[tuple[int, bool]],
) -> None:
    values = np.array([float(value) for value, _ in pairs])
    truth = np.array([said for _, said in pairs])

    right, bound, sign = threshold(values, truth)

    assert right == pytest.approx(float((((values - bound) * sign > 0) == truth).mean()))
    assert round(right * len(values)) >= max(truth.sum(), len(values) - truth.sum())


class Network:
    """A stand-in for Silero's network that remembers what it was shown."""

    def __init__(self, *probabilities: float) -> None:
        self.probabilities, self.shown, self.states = list(probabilities), [], []  # type: ignore[var-annotated]

    def run(self, names: None, given: dict[str, Any]) -> list[Any]:
        probability = self.probabilities[len(self.shown) % len(self.probabilities)]
        self.shown.append(given["input"][0])
        self.states.append(float(given["state"][0, 0, 0]))
        return [np.array([[probability]], np.float32), given["state"] + 1]


def silero(network: Network, **options: Any) -> Any:
    pytest.importorskip("onnxruntime")
    from steelyard.backends.ort.silero import SileroSession

    opened: Any = network
    return SileroSession(opened, spec("silero", **options))


def test_silero_sees_each_frame_behind_the_end_of_the_one_before() -> None:
    network = Network(0.1)
    session = silero(network)

    session.infer(session.encode(CLIP))

    assert len(network.shown) == 32
    assert network.shown[0][:64].tolist() == [0.0] * 64
    assert (network.shown[1] * 32768).tolist() == list(range(512 - 64, 1024))


def test_at_8_khz_it_sees_every_second_sample() -> None:
    network = Network(0.1)
    session = silero(network, rate=8000)

    session.infer(session.encode(CLIP))

    assert len(network.shown) == 32
    assert (network.shown[1] * 32768).tolist() == list(range(2 * (256 - 32), 1024, 2))


def test_its_state_begins_anew_with_each_clip() -> None:
    network = Network(0.1)
    session = silero(network)

    for _ in range(2):
        session.infer(session.encode(CLIP[:1024]))

    assert network.states == [0.0, 1.0, 0.0, 1.0]


def test_one_frame_of_speech_makes_a_clip_speech() -> None:
    session = silero(Network(0.1, 0.75, 0.2))

    said = session.decode(session.infer(session.encode(CLIP[:1536])))

    assert (said.label, said.scores) == ("speech", (0.75, 0.25))


def test_a_rest_of_a_frame_is_filled_up() -> None:
    assert silero(Network(0.1)).encode(CLIP[:600]).shape == (2, 64 + 512)


@pytest.mark.parametrize(
    ("options", "message"), [({"rate": 44_100}, "8000 and 16000"), ({"speech": "x"}, "none of the")]
)
def test_silero_refuses_rates_and_labels_it_does_not_know(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(WorkerError, match=message):
        silero(Network(0.1), **options)


def test_the_stream_hands_on_eight_frames_an_embedding_and_a_score_each_80_ms() -> None:
    seen: list[Any] = []

    def spectrogram(heard: Any) -> Any:
        return np.full((1, 1, 8, 32), heard.max() * 10, np.float32)

    def phrase(embeddings: Any) -> Any:
        seen.append(embeddings[0, :, 0].tolist())
        return embeddings[0, -1:, :1]

    networks = stream.Networks(
        spectrogram=spectrogram,
        embedding=lambda mels: np.full((1, 1, 1, 96), mels[0, -1, 0, 0], np.float32),
        phrase=phrase,
    )
    samples = np.repeat([1.0, 5.0, 2.0], stream.CHUNK)[: 3 * stream.CHUNK - 100]

    found = list(stream.scores(networks, stream.silence(networks), samples))

    # Each spectrogram also sees the last 30 ms before: 5 is still heard in the third step.
    assert found == [3.0, 7.0, 7.0]  # mels are divided by ten, plus two
    assert seen[-1] == [2.0] * 13 + [3.0, 7.0, 7.0]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("Hey, Jarvis!", 0),
        ("so I said hey jarvis what time is it", 0),
        ("Hey Travis", 3),
        ("A Jarvis.", 3),
        ("", 9),
        ("hey", 6),
    ],
)
def test_a_phrase_is_found_with_the_fewest_letters_wrong(text: str, errors: int) -> None:
    assert fewest_errors("hey jarvis", text) == errors


@given(st.text("abc", max_size=6), st.text("abc", max_size=8))
def test_the_fewest_errors_are_those_to_the_nearest_stretch_of_the_text(
    phrase: str, text: str
) -> None:
    def distance(one: str, other: str) -> int:
        if not one or not other:
            return len(one) + len(other)
        return min(
            distance(one[1:], other[1:]) + (one[0] != other[0]),
            distance(one[1:], other) + 1,
            distance(one, other[1:]) + 1,
        )

    if len(phrase) * len(text) > 16:
        return  # the plain recursion is slow
    stretches = {text[a:b] for a in range(len(text) + 1) for b in range(a, len(text) + 1)}
    assert fewest_errors(phrase, text) == min(distance(phrase, found) for found in stretches)


@pytest.mark.parametrize(
    ("backend", "wrong", "message"),
    [
        (CTranslate2(), spec("chat"), "no session 'chat'; it has: listen"),
        (CTranslate2(), spec("listen", beams=1), "unknown beams; known: beam_size"),
        (TfLite(), spec("label"), "no session 'label'; it has: wakeword"),
        (TfLite(), spec("wakeword", speed=1), "unknown speed; known: label, threshold"),
    ],
)
def test_unknown_sessions_and_options_are_refused(
    backend: Any, wrong: SessionSpec, message: str
) -> None:
    assert message in str(backend.refuse(wrong))


@pytest.mark.parametrize(
    ("backend", "session", "module", "extra"),
    [
        (CTranslate2(), "listen", "steelyard.backends.ctranslate2", "steelyard[whisper]"),
        (TfLite(), "wakeword", "steelyard.backends.tflite", "steelyard[tflite]"),
    ],
)
def test_a_missing_runtime_is_refused_with_the_install_line(
    monkeypatch: pytest.MonkeyPatch, backend: Any, session: str, module: str, extra: str
) -> None:
    monkeypatch.setattr(sys.modules[module], "find_spec", lambda name: None)

    assert f"try: pip install '{extra}'" in str(backend.refuse(spec(session)))
