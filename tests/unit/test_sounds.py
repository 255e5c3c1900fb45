"""Sounds in whole numbers: noise, resampling, mixing, and where a clean recording speaks."""

from __future__ import annotations

import math
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import PrepareError
from steelyard.readers import sounds
from steelyard.readers.speech_activity import FRAME, activity


def tone(hertz: float, rate: int, seconds: float, loudest: float = 10_000) -> sounds.Samples:
    times = np.arange(int(rate * seconds)) / rate
    return np.rint(loudest * np.sin(2 * np.pi * hertz * times)).astype(np.int64)


def wav(path: Path, data: bytes, *, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, 8000, 0, "NONE", "none"))
        file.writeframes(data)
    return path


def test_a_wav_file_is_read_with_its_rate(tmp_path: Path) -> None:
    found = sounds.read_wav(wav(tmp_path / "a.wav", b"\x01\x00\xff\xff"), "a")

    assert (found.rate, found.samples.tolist()) == (8000, [1, -1])


@pytest.mark.parametrize(("channels", "width"), [(2, 2), (1, 1)])
def test_other_kinds_of_wav_are_refused_by_name(tmp_path: Path, channels: int, width: int) -> None:
    path = wav(tmp_path / "a.wav", bytes(8), channels=channels, width=width)

    with pytest.raises(PrepareError, match=r"package/a: .* expected one of 16 bits"):
        sounds.read_wav(path, "package/a")


def test_a_file_that_is_no_wav_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")

    with pytest.raises(PrepareError, match="no WAV file"):
        sounds.read_wav(tmp_path / "a.wav", "a")


def test_noise_is_the_same_for_ever() -> None:
    # The first bytes of SHAKE-128("a"), by any implementation, as little-endian 16 bits.
    assert sounds.white("a", 3).tolist() == [-14203, -30498, -30510]
    assert sounds.pink("a", 1).tolist() == sounds.pink("a", 5)[:1].tolist()


def test_white_noise_is_flat_and_pink_noise_falls_by_about_3_db_an_octave() -> None:
    def octaves(samples: sounds.Samples) -> list[float]:
        spectrum = np.abs(np.fft.rfft(samples - samples.mean())) ** 2
        size = len(spectrum)
        bands = [(size >> n, size >> (n - 1)) for n in range(7, 2, -1)]
        return [10 * math.log10(spectrum[low:high].mean()) for low, high in bands]

    assert np.diff(octaves(sounds.white("w", 1 << 17))).mean() == pytest.approx(0, abs=0.3)
    assert np.diff(octaves(sounds.pink("p", 1 << 17))).mean() == pytest.approx(-3, abs=0.6)


def test_doubling_the_rate_keeps_every_sample() -> None:
    samples = sounds.white("x", 500)

    assert sounds.resample(samples, 8_000, 16_000)[::2].tolist() == samples.tolist()


@pytest.mark.parametrize("rate", [8_000, 22_050, 32_000])
def test_a_tone_is_the_same_tone_at_another_rate(rate: int) -> None:
    made = sounds.resample(tone(440, rate, 0.5), rate, 16_000)

    inner = slice(400, 7_000)  # a filter has no samples before the first
    assert len(made) == 8_000
    assert np.abs(made - tone(440, 16_000, 0.5))[inner].max() < 20


def test_what_the_lower_rate_cannot_hold_is_filtered_out() -> None:
    made = sounds.resample(tone(12_000, 32_000, 0.5), 32_000, 16_000)

    assert np.abs(made[400:-400]).max() < 100


@given(st.integers(-20, 30), st.integers(1, 50))
def test_two_sounds_are_mixed_at_the_ratio_asked_for(ratio_db: int, seed: int) -> None:
    speech, noise = sounds.white(f"s{seed}", 4000), sounds.white(f"n{seed}", 4000) // 20

    made = sounds.scaled(speech, ratio_db, sounds.power(noise), sounds.power(speech))

    found = 10 * math.log10(sounds.power(made) / sounds.power(noise))
    assert found == pytest.approx(ratio_db, abs=0.1)


def test_a_level_is_below_full_scale() -> None:
    made = sounds.at_level(sounds.white("x", 8000), -20)

    assert math.sqrt(sounds.power(made)) == pytest.approx(3276.8, rel=0.01)


def test_what_is_too_loud_is_cut() -> None:
    assert sounds.clipped(np.array([40_000, -40_000, 5])).tolist() == [32_767, -32_768, 5]


@given(st.integers(1, 1000), st.text(max_size=5))
def test_draws_stay_below_their_limit_and_repeat(limit: int, seed: str) -> None:
    one, again = sounds.Draws(seed), sounds.Draws(seed)

    drawn = [one.below(limit) for _ in range(5)]

    assert drawn == [again.below(limit) for _ in range(5)]
    assert all(0 <= number < limit for number in drawn)


def spoken(*parts: tuple[int, int]) -> sounds.Samples:
    """Return frames of a loudness each: (frames, loudness)."""
    signs = np.where(np.arange(FRAME) % 2, 1, -1)
    return np.concatenate([np.tile(signs * loudness, frames) for frames, loudness in parts])


def test_silence_around_speech_is_no_speech() -> None:
    assert activity(spoken((4, 0), (6, 8000), (4, 3))).tolist() == [False] * 4 + [True] * 6 + (
        [False] * 4
    )


def test_the_pause_before_a_stop_consonant_belongs_to_the_word_and_a_longer_one_does_not() -> None:
    found = activity(spoken((4, 8000), (5, 0), (4, 8000), (6, 0), (4, 8000)))

    assert found.tolist() == [True] * 13 + [False] * 6 + [True] * 4


def test_a_click_is_no_speech() -> None:
    assert activity(spoken((5, 8000), (8, 0), (2, 8000), (8, 0))).sum() == 5


def test_speech_30_db_below_the_loud_frames_is_the_faintest_that_counts() -> None:
    # A thousandth of the power is 1 / 31.6 of the loudness.
    assert activity(spoken((6, 8000), (8, 254))).sum() == 14
    assert activity(spoken((6, 8000), (8, 252))).sum() == 6


def test_a_recording_of_hiss_holds_no_speech() -> None:
    assert not activity(spoken((20, 20))).any()
    assert not len(activity(spoken((1, 0))[:100]))
