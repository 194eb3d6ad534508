"""The results of a study as files: one figure, one table, or everything in one ZIP. Each is looked at before it leaves
(``leaving.py``): what gives one raises Refused where it tells what it may not.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from django.utils.translation import get_language

from classifier.services.evaluation import bundle
from classifier.services.evaluation.figure_files import QUICK, Print
from reader_study.plots.marks import file_name
from reader_study.services.results import (
    index,
    leaving,
    methods_readers,
    methods_text,
    plan,
    reading_log,
    study_tables,
)
from reader_study.services.results.report_files import as_json
from reader_study.services.results.results import Results
from reader_study.statistics import study_exchange
from reader_study.statistics.tidy import tidy
from skinclinic.web.csv_table import table_csv


def name_of(results: Results, name: str) -> str:
    """A file's name that tells the study, and whether it is synthetic."""
    study = results.study
    return f"{'synthetic-' if study.is_synthetic else ''}{file_name(study.name)}-{name}"


def report_json(results: Results) -> bytes:
    return _one(results, "report.json", as_json(results.report))


def figure(results: Results, name: str, content: bytes) -> bytes:
    """The file of a figure, if it may leave."""
    return _one(results, name, content)


def _one(results: Results, name: str, content: bytes) -> bytes:
    return next(leaving.checked(results.study, [(name, content)]))[1]


def tables(results: Results) -> Iterator[tuple[str, bytes]]:
    """Tables with one fact a row, diseases in words; the first holds all answers."""
    for name, columns, rows in tidy(results.report, results.tables, get_language() or "en"):
        yield f"{name}.csv", table_csv(columns, rows)
    for name, columns, rows in plan.tables(results.report):
        yield f"{name}.csv", table_csv(columns, rows)


def answers_csv(results: Results) -> bytes:
    """Every answer beside the truth and the model's, in words."""
    name, content = next(tables(results))
    return _one(results, name, content)


def table(results: Results, name: str) -> bytes | None:
    """One of those that "Replay from files" reads; None where there is none."""
    content = results.file(name)
    return None if content is None else _one(results, name, content)


def replay_files(results: Results) -> list[tuple[str, bytes]]:
    """What "Replay from files" and the command study_report read."""
    return list(leaving.checked(results.study, _replay_files(results)))


def _replay_files(results: Results) -> Iterator[tuple[str, bytes]]:
    for name in study_tables.FILES:
        if (content := results.file(name)) is not None:
            yield name, content


def everything(
    results: Results, kinds: Sequence[str] = bundle.USUAL, how: Print = QUICK, **look
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of report, tables, methods, the files for a replay, all figures in folders, and an index. All but
    the figures are made and looked at before the first is given."""
    said: list[tuple[str, str]] = []
    texts = list(leaving.checked(results.study, _texts(results, said)))
    return chain(texts, leaving.checked(results.study, _figures(results, kinds, how, said, look)))


def _texts(results: Results, said: list[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:

    def told(name: str, content: bytes, about: str) -> tuple[str, bytes]:
        said.append((name, index.ABOUT[about]()))
        return name, content

    yield told("report.json", as_json(results.report), "report.json")
    for language, text in methods_text.paragraphs(results.study, results.report):
        yield told(f"methods-{language}.txt", f"{text}\n".encode(), "methods")
    for name, content in tables(results):
        yield told(f"tables/{name}", content, "tables")
    log = table_csv(reading_log.COLUMNS, reading_log.rows(results.study))
    yield told("tables/reading_log.csv", log, "tables")
    for name, content in study_exchange.files(results.tables):
        yield told(f"exchange/{name}", content, "exchange")
    if about := methods_readers.table(results.study):
        content = table_csv(("question", "answer", "readers"), about)
        yield told("tables/about-readers.csv", content, "tables")
    for name, content in _replay_files(results):
        yield told(f"replay/{name}", content, "replay")


def _figures(
    results: Results, kinds: Sequence[str], how: Print, said: list[tuple[str, str]], look: dict
) -> Iterator[tuple[str, bytes]]:
    yield from bundle.files(results.figures(**look).makers(), kinds, how, said)
    yield bundle.INDEX, bundle.index(index.title(results.study.name), said)
