"""Candidates for emergence, with their centroids."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.topics.emergence.candidate import Candidate
from models.topics.online.centring import Background, Vectors, compare


class Candidates:
    """Candidates with their centroids, in order of creation; at most `bound`.

    Args:
        horizon: number of recent videos after which a candidate expires.
    """

    def __init__(self, bound: int, horizon: int) -> None:
        self._bound, self._horizon = bound, horizon
        self.trials: list[Candidate] = []
        self._centres: list[Vectors] = []

    def add(self, trial: Candidate, centre: Vectors) -> None:
        """Add a candidate; centre: float64 [d], not centred."""
        self.trials.append(trial)
        self._centres.append(np.asarray(centre, np.float32).astype(np.float64))

    def drop(self, trial: Candidate) -> None:
        """Remove a candidate."""
        at = next(at for at, each in enumerate(self.trials) if each is trial)
        del self.trials[at], self._centres[at]

    def has(self, trial: Candidate) -> bool:
        """Return whether a candidate is still in the list."""
        return any(each is trial for each in self.trials)

    def centre(self, trial: Candidate) -> Vectors:
        """Return a candidate's centroid, float64 [d], not centred."""
        return next(centre for each, centre in zip(self.trials, self._centres, strict=True) if each is trial)

    def cosines(self, vectors: Vectors, background: Background) -> Vectors:
        """Return the centred cosine of each of [n, d] vectors to each candidate: float64 [n, k]."""
        if not self.trials:
            return np.zeros((len(vectors), 0))
        return compare(background.centre(vectors), background.centre(np.array(self._centres)))

    def by_closeness(self, centre: Vectors, background: Background) -> list[tuple[float, Candidate]]:
        """Return all candidates with their cosine to a centroid, float64 [d], the closest first."""
        cosines = self.cosines(centre[np.newaxis], background)[0]
        return [(float(cosines[at]), self.trials[at]) for at in np.argsort(-cosines, kind="stable").tolist()]

    def closest(self, centre: Vectors, background: Background, least: float) -> Candidate | None:
        """Return the candidate closest to a centroid, float64 [d], if its cosine is `least` or more."""
        ranked = self.by_closeness(centre, background)
        return ranked[0][1] if ranked and ranked[0][0] >= least else None

    def retire(self, now: int) -> None:
        """Remove expired candidates, and those without recent hits if there are too many."""
        for trial in [each for each in self.trials if now - each.born > self._horizon]:
            self.drop(trial)
        while len(self.trials) > self._bound:
            self.drop(min(self.trials, key=lambda each: each.hits[-1].at if each.hits else each.born))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the centroids: float32 [k, d]."""
        centres = np.array(self._centres, np.float32)
        return {"trial_centres": centres.reshape(len(self._centres), -1 if self._centres else 0)}

    def to_json(self) -> list[dict[str, Any]]:
        """Return the candidates, in the same order."""
        return [trial.model_dump(mode="json") for trial in self.trials]

    def restore(self, arrays: dict[str, NDArray[Any]], trials: Sequence[dict[str, Any]]) -> None:
        """Restore the state that `to_arrays` and `to_json` stored."""
        self.trials = [Candidate.model_validate(trial) for trial in trials]
        self._centres = list(arrays["trial_centres"].astype(np.float64))
