"""The results of a study as files: one figure, one table, or everything in one ZIP."""

import json
from collections.abc import Iterator

from django.utils.translation import get_language

from classifier.services.evaluation.figure_files import DRAWN, figure_file
from reader_study.plots.marks import file_name
from reader_study.services.results import methods_text, plan, reading_log, study_tables
from reader_study.services.results.results import Results
from reader_study.statistics import study_exchange
from reader_study.statistics.tidy import tidy
from skinclinic.web.csv_table import table_csv


def name_of(results: Results, name: str) -> str:
    """A file's name that tells the study, and whether it is synthetic."""
    study = results.study
    return f"{'synthetic-' if study.is_synthetic else ''}{file_name(study.name)}-{name}"


def report_json(results: Results) -> bytes:
    return json.dumps(results.report, ensure_ascii=False, allow_nan=False, indent=1).encode()


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


def everything(results: Results, **look) -> Iterator[tuple[str, bytes]]:
    """(name, content) of report, tables, methods, the files for a replay, and all figures."""
    yield "report.json", report_json(results)
    for language, text in methods_text.paragraphs(results.study, results.report):
        yield f"methods-{language}.txt", f"{text}\n".encode()
    for name, content in tables(results):
        yield f"tables/{name}", content
    yield "tables/reading_log.csv", table_csv(reading_log.COLUMNS, reading_log.rows(results.study))
    for name, content in study_exchange.files(results.tables):
        yield f"exchange/{name}", content
    for name, content in replay_files(results):
        yield f"replay/{name}", content
    for figure in results.figures(**look).all():
        for kind in (*DRAWN, "csv"):
            yield f"figures/{kind}/{figure.name}.{kind}", figure_file(figure, kind)
