"""A study's answers as files of iMRMC, RJafroc and MRMCaov.

These compare areas under ROC curves of ratings. A reader who names one disease has decided, not rated: 1 where the
disease was named and 0 where not, whose area is the mean of sensitivity and specificity. The model stands beside them
as the test AI with its first choice, a decision too. Answers that are missing are left out.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from reader_study.statistics import imrmc_file
from reader_study.statistics.coded import MISSING, Part, parts
from reader_study.statistics.exchange import COLUMNS, plain_csv, quoted
from reader_study.statistics.ratings import AI, Ratings
from reader_study.statistics.tables import StudyTables
from reader_study.statistics.workbook import workbook
from skinclinic.vocabulary.diseases import DISEASE_KEYS

READ_ME = """Answers of this study for other programs. A file a dataset and disease: 1 where the disease was named, 0 \
where not.
imrmc/   iMRMC, and RJafroc with DfReadDataFile(file, format = "iMRMC"). Any design.
rjafroc/ RJafroc with DfReadDataFile(file, newExcelFileFormat = TRUE). Fully crossed and complete studies only; \
readers, modalities and cases are numbered, the sheet Names says how.
mrmcaov.csv  MRMCaov: mrmc(empirical_auc(truth, rating), test, reader, case, data = subset(read.csv(file), dataset == \
"..." & disease == "...")). Take AI out, or compare it with the readers of one test.
Missing answers are left out. The test AI in mrmcaov.csv is the first choice of the model. In names commas and \
quotation marks are written as _ for iMRMC.
"""


def files(tables: StudyTables) -> Iterator[tuple[str, bytes]]:
    """(name, content) of everything that can be written of the study; nothing where no disease is evaluable."""
    rows: list[str] = []
    for place, part in enumerate(parts(tables), 1):
        for key in part.choices:
            ratings = decisions(part, key)
            if ratings is None:
                continue
            rated = list(ratings.rows())
            yield f"imrmc/{place}-{key}{imrmc_file.SUFFIX}", _imrmc(ratings, rated).encode()
            if (book := _rjafroc(ratings)) is not None:
                yield f"rjafroc/{place}-{key}.xlsx", book
            rows += _rows(part.name, key, ratings, rated)
    if rows:
        yield "mrmcaov.csv", (plain_csv(("dataset", "disease", *COLUMNS), ()) + "".join(rows)).encode()
        yield "README.txt", READ_ME.encode()


def _rows(
    dataset: str, disease: str, ratings: Ratings, rated: Iterable[tuple[str, str, str, float]]
) -> Iterator[str]:
    """The lines of mrmcaov.csv, of which there are hundreds of thousands with the same few names."""
    names = quoted((dataset, disease, *ratings.tests, *ratings.readers))
    truths = zip(quoted(ratings.cases).items(), map(int, ratings.truth), strict=True)
    cases = {case: f"{said},{truth}" for (case, said), truth in truths}
    of = f"{names[dataset]},{names[disease]}"
    return (
        f"{of},{names[test]},{names[reader]},{cases[case]},{int(rating)}\n"
        for test, reader, case, rating in rated
    )


def decisions(part: Part, key: str) -> Ratings | None:
    """Who named the disease, sessions and the model as tests; None where the disease is not evaluable."""
    place = DISEASE_KEYS.index(key)
    truth = part.truth == place
    sessions = [one for one in part.sessions if (one.codes != MISSING).any()]
    if not sessions or truth.all() or not truth.any():
        return None
    values = [np.where(one.codes == MISSING, np.nan, one.codes == place) for one in sessions]
    tests, readers = [one.name for one in sessions], list(sessions[0].readers)
    if part.argmax is not None and AI not in (*tests, *readers):
        of_model = np.full((len(readers) + 1, len(truth)), np.nan)
        of_model[-1] = part.argmax == place
        nobody = np.full((1, len(truth)), np.nan)
        values = [*(np.concatenate([one, nobody]) for one in values), of_model]
        tests, readers = [*tests, AI], [*readers, AI]
    return Ratings(
        tuple(tests), tuple(readers), tuple(image.name for image in part.images), truth, np.stack(values)
    )


def _imrmc(ratings: Ratings, rated: Iterable[tuple[str, str, str, float]]) -> str:
    tests, readers, cases = (_plain(names) for names in (ratings.tests, ratings.readers, ratings.cases))
    return imrmc_file.text(
        ((cases[case], bool(truth)) for case, truth in zip(ratings.cases, ratings.truth, strict=True)),
        (
            (tests[test], readers[reader], cases[case], rating)
            for test, reader, case, rating in rated
            # iMRMC has no variance of a test with one reader, and stops.
            if test != AI
        ),
    )


def _plain(names: tuple[str, ...]) -> dict[str, str]:
    """Names that iMRMC can read; those that become the same are numbered."""
    found: dict[str, str] = {}
    for name in names:
        plain = "".join("_" if letter in ',"\r\n' else letter for letter in name)
        plain = f"{plain}_" if plain.casefold() == imrmc_file.TRUTH else plain
        number, tried = 1, plain
        while tried in found.values():
            number += 1
            tried = f"{plain}_{number}"
        found[name] = tried
    return found


def _rjafroc(ratings: Ratings) -> bytes | None:
    """The sessions as modalities, without the model, whose reader is none of theirs."""
    people = [place for place, test in enumerate(ratings.tests) if test != AI]
    readers = [place for place, name in enumerate(ratings.readers) if name != AI]
    values = ratings.values[np.ix_(people, readers)]
    if np.isnan(values).any():
        return None
    everyone, every = (", ".join(map(str, range(1, len(found) + 1))) for found in (readers, people))
    sheets: dict[str, list[tuple[object, ...]]] = {
        "TRUTH": [("CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm")],
        "FP": [("ReaderID", "ModalityID", "CaseID", "FP_Rating")],
        "TP": [("ReaderID", "ModalityID", "CaseID", "LesionID", "TP_Rating")],
        "Names": [("kind", "number", "name")],
    }
    paradigm = iter(("ROC", "FCTRL"))
    for case, is_diseased in enumerate(map(int, ratings.truth), 1):
        sheets["TRUTH"].append((case, is_diseased, is_diseased, everyone, every, next(paradigm, None)))
    diseased, others = (np.flatnonzero(chosen).tolist() for chosen in (ratings.truth, ~ratings.truth))
    for test, of_test in enumerate(values.astype(float).tolist(), 1):
        for reader, rated in enumerate(of_test, 1):
            sheets["FP"] += [(reader, test, case + 1, rated[case]) for case in others]
            sheets["TP"] += [(reader, test, case + 1, 1, rated[case]) for case in diseased]
    for kind, names in (
        ("modality", [ratings.tests[place] for place in people]),
        ("reader", [ratings.readers[place] for place in readers]),
        ("case", ratings.cases),
    ):
        sheets["Names"] += [(kind, number, name) for number, name in enumerate(names, 1)]
    return workbook(sheets)
