"""The results of a study as files: one figure, one table, or everything in one ZIP."""

from collections.abc import Iterator, Sequence

from django.utils.translation import get_language

from classifier.services.evaluation import bundle
from classifier.services.evaluation.figure_files import QUICK, Print
from reader_study.plots.marks import file_name
from reader_study.services.results import (
    index,
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
    return as_json(results.report)


def tables(results: Results) -> Iterator[tuple[str, bytes]]:
    """Tables with one fact a row, diseases in words; the first holds all answers."""
    for name, columns, rows in tidy(results.report, results.tables, get_language() or "en"):
        yield f"{name}.csv", table_csv(columns, rows)
    for name, columns, rows in plan.tables(results.report):
        yield f"{name}.csv", table_csv(columns, rows)


def answers_csv(results: Results) -> bytes:
    """Every answer beside the truth and the model's, in words."""
    return next(tables(results))[1]


def replay_files(results: Results) -> Iterator[tuple[str, bytes]]:
    """What "Replay from files" and the command study_report read."""
    for name in study_tables.FILES:
        if (content := results.file(name)) is not None:
            yield name, content


def everything(
    results: Results, kinds: Sequence[str] = bundle.USUAL, how: Print = QUICK, **look
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of report, tables, methods, the files for a replay, all figures in folders, and an index."""
    said: list[tuple[str, str]] = []

    def told(name: str, content: bytes, about: str) -> tuple[str, bytes]:
        said.append((name, index.ABOUT[about]()))
        return name, content

    yield told("report.json", report_json(results), "report.json")
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
    for name, content in replay_files(results):
        yield told(f"replay/{name}", content, "replay")
    yield from bundle.files(results.figures(**look).makers(), kinds, how, said)
    yield bundle.INDEX, bundle.index(index.title(results.study.name), said)
