"""A replay before it is made, as its pages show it: what it would become, and what is asked about its files."""

from collections import Counter
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from reader_study.services.results import completeness, doubt_texts, files_text, replay
from reader_study.services.results.replay_check import FilesInDoubt
from reader_study.services.results.replay_drafts import Said
from reader_study.statistics.design import designs
from reader_study.statistics.doubts import of_tables
from reader_study.statistics.tables import StudyTables
from skinclinic.archive.formats.columns import LEAVE_OUT
from skinclinic.archive.formats.encodings import CANDIDATES
from skinclinic.vocabulary.diseases import DISEASE_KEYS, DISEASES

# Rows of a word that are named.
_ROWS = 8


def dry_run(tables: StudyTables) -> dict[str, Any]:
    """What the files would become."""
    readers = {answer.reader: answer.group for answer in tables.answers}
    images = len(tables.images)
    aided = replay.aided_sessions(tables)
    sessions = []
    for name, counts in designs(tables).items():
        who = len({answer.reader for answer in tables.answers if answer.session == name})
        said, why = completeness.counts_text(counts), completeness.why_text(counts)
        sessions.append((name, name in aided, who, counts["answered"], who * images, said, why))
    return {
        "images": images,
        "doubts": doubt_texts.texts({"doubts": list(of_tables(tables))}),
        "read_as": [files_text.note_text(note.to_json()) for note in tables.notes if not note.is_doubt],
        "words": [one for one in tables.words if not one.is_mapped],
        "datasets": list(Counter(image.dataset for image in tables.images).items()),
        "diseases": [
            (key, count)
            for key in DISEASE_KEYS
            if (count := sum(image.truth == key for image in tables.images))
        ],
        "has_scores": tables.scores is not None,
        "whole": len(tables.whole.truth) if tables.whole else 0,
        "readers": len(readers),
        "groups": list(Counter(readers.values()).items()),
        "sessions": sessions,
        "answers": len(tables.answers),
    }


def questions(doubt: FilesInDoubt, said: Said) -> dict[str, Any]:
    """What is asked, with what was said before."""
    return {
        "texts": [
            {
                "name": f"encoding-{file}", "file": file, "chosen": said.encodings.get(file, ""),
                "encodings": [
                    {"key": key, "name": CANDIDATES[key], "cells": cells} for key, cells in samples.items()
                ],
            }
            for file, samples in doubt.samples.items()
        ],
        "words": [
            {
                "word": one.word, "count": one.count, "files": ", ".join(one.files), "is_column": one.is_column,
                "rows": ", ".join(map(str, one.rows[:_ROWS])) + (" …" if one.count > _ROWS else ""),
                "chosen": said.labels.get(one.word, ""),
            }
            for one in doubt.words
        ],
        "meanings": _meanings(),
        "leave_out": LEAVE_OUT,
    }  # fmt: skip


def _meanings() -> list[tuple[str, list[tuple[str, str]]]]:
    """The 12 diseases by tier, in words."""
    tiers = {"malignant": _("Malignant"), "premalignant": _("Premalignant"), "benign": _("Benign")}
    language = get_language() or "en"
    return [
        (name, [(one.key, one.name(language)) for one in DISEASES if one.tier == tier])
        for tier, name in tiers.items()
    ]
