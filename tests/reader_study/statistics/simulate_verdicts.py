"""How often what a study may say is wrong: type I error and coverage in simulated studies.

    OMP_NUM_THREADS=1 python -m tests.reader_study.statistics.simulate_verdicts [STUDIES [WORD ...]]

No test: it runs for minutes; with words only of the settings that are called so. Readers and the model tell bcc from
nevus. Whether one is right on a photo is a probit of the photo's difficulty (shared by all), the reader's skill (shared
by both sessions) and chance, after Roe and Metz (1997). Prints a table in Markdown; beside each share its standard
error is sqrt(p(1 - p)/STUDIES).
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from classifier.metrics import notes
from reader_study.statistics import comparison, verdicts
from reader_study.statistics.coded import MISSING, Part, Session
from reader_study.statistics.design import design
from reader_study.statistics.endpoints import ACCURACY
from reader_study.statistics.question import accuracy
from reader_study.statistics.questions import figures, tests_of
from reader_study.statistics.tables import Image
from skinclinic.vocabulary.diseases import DISEASE_KEYS

KEY, OTHER = "bcc", "nevus"
PLACES = np.array([DISEASE_KEYS.index(KEY), DISEASE_KEYS.index(OTHER)])
MARGIN, RIGHT = 0.05, 0.75
# Standard deviations of photos, of readers, and of readers in one session, beside chance of 1.
PHOTOS, READERS, SESSIONS = 0.7, 0.35, 0.15
PEOPLE = (PHOTOS**2 + READERS**2 + SESSIONS**2 + 1) ** 0.5
MACHINE = (PHOTOS**2 + 1) ** 0.5


@dataclass(frozen=True)
class Setting:
    """``n``: photos, half of them of either disease. ``given`` [readers, n] of a session (0 or 1)."""

    name: str
    readers: int
    n: int
    given: Callable[[np.ndarray, np.ndarray, int], np.ndarray] = lambda reader, photo, session: reader >= 0
    skipped: float = 0.0
    right: float = RIGHT


SETTINGS = (
    Setting("complete, 8 readers, 160 photos", 8, 160),
    Setting("4 % skipped, 8 readers, 160 photos", 8, 160, skipped=0.04),
    Setting("few cases, 8 readers, 24 photos", 8, 24),
    Setting("too few cases, 8 readers, 16 photos", 8, 16),
    Setting("split-plot, 2 blocks of 80, 8 readers", 8, 160, lambda reader, photo, _: reader % 2 == photo // 2 % 2),
    Setting("sessions share half, 8 readers, 160", 8, 160, lambda _r, photo, session: (photo // 2 - session) % 4 < 3),
    Setting("sessions share none, 8 readers, 160", 8, 160, lambda _r, photo, session: photo // 2 % 2 == session),
    Setting("parallel arms, 2 x 8 readers, 160", 16, 160, lambda reader, _p, session: reader % 2 == session),
    Setting("parallel arms, 2 x 4 readers, 20", 8, 20, lambda reader, _p, session: reader % 2 == session),
    Setting("parallel arms, 2 x 3 readers, 40, 90 % right", 6, 40, lambda reader, _p, s: reader % 2 == s, right=0.9),
    Setting("complete, 3 readers, 60 photos", 3, 60),
    Setting("few cases, 90 % right, 8 readers, 24", 8, 24, right=0.9),
    Setting("few cases, 90 % right, 16 readers, 20", 16, 20, right=0.9),
    Setting("complete, 90 % right, 8 readers, 160", 8, 160, right=0.9),
    Setting("photos in readers, 4 readers, 40", 4, 40, lambda reader, photo, _: photo // 2 % 4 == reader),
    Setting("split-plot, 2 blocks of 20, 4 readers", 4, 40, lambda reader, photo, _: reader % 2 == photo // 2 % 2),
    Setting("sessions share half, 4 readers, 40", 4, 40, lambda _r, photo, session: (photo // 2 - session) % 4 < 3),
)  # fmt: skip
# Name, how much better than readers the model is, how much better the second session.
TRUTHS = (
    ("no difference", 0.0, 0.0),
    ("model worse by the margin", -MARGIN, 0.0),
    ("model and second session better by 0.08", 0.08, 0.08),
)


def study(setting: Setting, model: float, later: float, random: np.random.Generator) -> Part:
    truth = PLACES[np.arange(setting.n) % 2]
    photos = PHOTOS * random.standard_normal(setting.n)
    skill = READERS * random.standard_normal((setting.readers, 1))

    def said(right: np.ndarray) -> np.ndarray:
        return np.where(right, truth, PLACES.sum() - truth)

    sessions = []
    reader, photo = np.indices((setting.readers, setting.n))
    for place, share in enumerate((setting.right, setting.right + later)):
        own = skill + SESSIONS * random.standard_normal((setting.readers, 1))
        chance = random.standard_normal((setting.readers, setting.n))
        right = special.ndtri(share) * PEOPLE + photos + own + chance > 0
        given = np.broadcast_to(setting.given(reader, photo, place), right.shape)
        answered = given & (random.random(right.shape) >= setting.skipped)
        codes = np.where(answered, said(right), MISSING)
        names = tuple(f"r{number}" for number in range(setting.readers))
        empty = np.full(codes.shape, np.nan)
        sessions.append(
            Session(f"s{place}", names, ("",) * setting.readers, given.any(1), codes, codes,
                    codes, empty, empty, given, given, np.full(codes.shape, MISSING))
        )  # fmt: skip
    right = special.ndtri(setting.right + model) * MACHINE + photos + random.standard_normal(setting.n) > 0
    scores = random.random((setting.n, len(DISEASE_KEYS))) / 10
    scores[np.arange(setting.n), said(right)] += 0.5
    images = tuple(Image(f"i{number}", "d", DISEASE_KEYS[code]) for number, code in enumerate(truth))
    return Part("d", images, truth, scores, tuple(sessions), (KEY, OTHER))


def told(part: Part, model: float, later: float) -> Iterator[str]:
    """What a study says, and what of it is so. Three studies with the same data, each with one primary endpoint:
    the balanced accuracy of a disease and the overall accuracy of the model, the overall accuracy of the sessions."""
    first = replace(part, sessions=part.sessions[:1])
    designs = [design(part, one) for one in part.sessions]
    tests = comparison.ai_vs_readers(first, first.sessions[0], {KEY: 0.3, OTHER: 0.3}, MARGIN, (KEY,))
    asked = {ACCURACY: figures(accuracy(part), MARGIN)}
    of_model = verdicts.of_questions(dict(tests_of(asked, "ai_vs_readers", "s0")))
    claims = {
        "disease": verdicts.verdicts(tests, designs[0], (KEY,), MARGIN, is_fixed=True)[KEY],
        "accuracy": verdicts.verdicts(of_model, designs[0], (ACCURACY,), MARGIN, is_fixed=True)[ACCURACY],
        "sessions": verdicts.of_sessions(
            dict(tests_of(asked, "compare", "s0_vs_s1")), designs, (ACCURACY,), is_fixed=True, families=1
        )[ACCURACY],
    }
    yield from (f"{name} {found['claim']}" for name, found in claims.items())
    yield from _test("model", tests[KEY]["argmax"], model)
    yield from _test("model's accuracy", asked[ACCURACY]["ai_vs_readers"]["s0"]["all"][ACCURACY], model)
    (pair,) = comparison.compare(part, (KEY,)).values()
    for name in ("sensitivity", "specificity"):
        one = pair[KEY][name]
        yield from _test("sessions", one["independent"] or one, later)
    yield from _test("sessions' accuracy", asked[ACCURACY]["compare"]["s0_vs_s1"]["all"][ACCURACY], later)


def _test(name: str, test: dict[str, Any], difference: float) -> Iterator[str]:
    yield f"{name} tests"
    if test["ci"] is None:
        return
    yield f"{name} intervals"
    if test["ci"][0] <= difference <= test["ci"][1]:
        yield f"{name} covered"
    if test["p"] < 0.05:
        yield f"{name} p below 0.05"
    if test["note"] in (notes.BIASED_VARIANCE, notes.INDEPENDENT):
        yield f"{name} floored"


CLAIMS = {
    "disease": ("superior", "non_inferior", "inferior"),
    "accuracy": ("superior", "non_inferior", "inferior"),
    "sessions": ("superior", "inferior"),
}
TESTS = ("model", "model's accuracy", "sessions", "sessions' accuracy")


def main(studies: int, words: Sequence[str]) -> None:
    heads = [f"{name}: {', '.join(claims).replace('_', '-')}" for name, claims in CLAIMS.items()]
    heads += [f"{name}: interval, covered, p < 0.05, least variance" for name in TESTS]
    print(f"| design | truth | {' | '.join(heads)} |\n|{'---|' * (len(heads) + 2)}")
    for number, setting in enumerate(SETTINGS):
        if words and not any(word in setting.name for word in words):
            continue
        for name, model, later in TRUTHS:
            random = np.random.default_rng([number, 12])
            counts: Counter[str] = Counter()
            for _ in range(studies):
                counts.update(told(study(setting, model, later, random), model, later))
            cells = [
                ", ".join(f"{counts[f'{of} {claim}'] / studies:.3f}" for claim in claims)
                for of, claims in CLAIMS.items()
            ]
            for kind in TESTS:
                of, given = counts[f"{kind} tests"], counts[f"{kind} intervals"] or 1
                shares = (
                    counts[f"{kind} intervals"] / of, counts[f"{kind} covered"] / given,
                    counts[f"{kind} p below 0.05"] / given, counts[f"{kind} floored"] / given,
                )  # fmt: skip
                cells.append(", ".join(f"{share:.3f}" for share in shares))
            print(f"| {setting.name} | {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, sys.argv[2:])
