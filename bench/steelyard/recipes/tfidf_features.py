"""Count n-grams once and weigh any subset of rows: TfidfVectorizer taken in its two halves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

from steelyard.errors import PrepareError

PATTERN = re.compile(r"(word|char):([1-9])-([1-9])")


class Ngrams(Struct, frozen=True, kw_only=True):
    """A family of n-grams: of words, or of characters within words."""

    analyser: Literal["word", "char_wb"]
    shortest: int
    longest: int


class Counted(Struct, frozen=True, kw_only=True):
    """A family's counts: texts x n-grams, sparse, float32."""

    ngrams: Ngrams
    vocabulary: Any
    matrix: Any


class Weighted(Struct, frozen=True, kw_only=True):
    """A family's tf-idf weights over the n-grams that were kept."""

    ngrams: Ngrams
    vocabulary: list[str]
    idf: Any
    matrix: Any


def parse_features(features: str) -> list[Ngrams]:
    """Parse `word:1-2+char:2-5`; raise PrepareError for anything else."""
    families = []
    for name in features.split("+"):
        match = PATTERN.fullmatch(name)
        if match is None or int(match[2]) > int(match[3]):
            raise PrepareError(
                f"options.features: {name!r} is no family of n-grams; "
                "write 'word:1-2', 'char:2-5' or both joined by '+'"
            )
        analyser: Literal["word", "char_wb"] = "word" if match[1] == "word" else "char_wb"
        families.append(Ngrams(analyser=analyser, shortest=int(match[2]), longest=int(match[3])))
    return families


def count(texts: Sequence[str], ngrams: Ngrams) -> Counted:
    """Count the n-grams of every text with scikit-learn's analyser."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer

    vectoriser = CountVectorizer(
        analyzer=ngrams.analyser,
        ngram_range=(ngrams.shortest, ngrams.longest),
        dtype=np.float32,  # pyright: ignore[reportArgumentType]  # its stub knows int64 only
    )
    try:
        matrix = vectoriser.fit_transform(texts)
    except ValueError as error:
        raise PrepareError(f"no {ngrams.analyser} n-grams in the train items: {error}") from error
    return Counted(ngrams=ngrams, vocabulary=vectoriser.get_feature_names_out(), matrix=matrix)


def weight(
    counted: Counted,
    train: list[int] | None,
    *,
    min_df: int,
    max_features: int,
    sublinear: bool,
) -> Weighted:
    """Weigh all rows with the vocabulary and the idf of the `train` rows (None: of all rows)."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfTransformer

    rows = counted.matrix if train is None else counted.matrix[train]
    kept = _kept(rows, min_df, max_features)
    transformer = TfidfTransformer(sublinear_tf=sublinear).fit(rows[:, kept])
    return Weighted(
        ngrams=counted.ngrams,
        vocabulary=counted.vocabulary[kept].tolist(),
        idf=transformer.idf_.astype(np.float32),
        matrix=transformer.transform(counted.matrix[:, kept]),
    )


def _kept(rows: Any, min_df: int, max_features: int) -> Any:
    """Return the columns seen in at least `min_df` rows, the most frequent of them, in order."""
    import numpy as np

    in_rows = rows.getnnz(axis=0)
    kept = np.flatnonzero(in_rows >= max(1, min_df))
    if kept.size > max_features:
        totals = np.asarray(rows.sum(axis=0)).ravel()[kept]
        kept = np.sort(kept[np.argsort(-totals, kind="stable")[:max_features]])
    if kept.size == 0:
        raise PrepareError(f"options.min_df: no n-gram is in {min_df} train items; lower it")
    return kept
