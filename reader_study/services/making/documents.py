"""The protocol with its plan of analysis as a PDF, the checklists of reporting guidelines, the diagram of the flow."""

from collections.abc import Sequence

from classifier.plots.figures import Figure
from classifier.services.evaluation.figure_files import FONT_FILE
from reader_study import document
from reader_study.checklists import CHECKLISTS, LABELS, NAMES
from reader_study.document import Document, Section
from reader_study.models import Study
from reader_study.plots import flow as flow_plot
from reader_study.plots.flow import Step
from reader_study.services.making import flow
from reader_study.services.making.told import told
from skinclinic.services import language_marks
from skinclinic.vocabulary import spoken
from skinclinic.web.counts import gettext as _
from skinclinic.web.csv_table import table_csv

# Sections of the protocol: which keys of ``checklists.LABELS`` stand where.
_QUESTION = ("objectives", "goal", "design", "intervention", "outcomes")
_PHOTOS = ("sources", "eligibility", "sampling", "reference", "rater_variability", "disjoint", "baseline")
_READERS = ("users", "allocation", "sequence", "restriction", "blinding")
_MODEL = ("ai_version", "architecture", "intended_use", "ai_output", "ai_use", "cutoff")
_ANALYSIS = ("statistics", "metrics", "missing", "robustness", "subgroups")
_CONDUCT = ("registration", "ethics", "funding", "access", "protocol", "dates", "changes", "interim")


def protocol_pdf(
    study: Study, reasons: dict[str, str], asked_besides: Sequence[tuple[str, str]] = ()
) -> bytes:
    """The protocol in the current language. ``reasons``: words for why photos were left out; ``asked_besides``: what
    else readers are asked, (setting, value)."""
    known = told(study)
    policy = (_("Actinic keratosis counts as"), str(study.get_premalignant_as_display()))
    sections = [
        Section(
            title,
            [
                *((str(LABELS[key]), known.get(key) or _("not stated")) for key in keys),
                *([policy] if keys is _ANALYSIS else []),
            ],
        )
        for title, keys in (
            (_("Question"), _QUESTION),
            (_("Photos and reference standard"), _PHOTOS),
            (_("Readers"), _READERS),
            *([(_("Model and operating point"), _MODEL)] if study.model_version else []),
            (_("Plan of analysis"), _ANALYSIS),
            (_("Registration, approval and conduct"), _CONDUCT),
        )
    ]
    sections.insert(1, Section(_("Instructions for readers"), [], text=study.instructions))
    sections.insert(2, Section(_("What readers are asked and told"), _asked(study, asked_besides)))
    figure = flow_figure(study, reasons)
    return document.to_pdf(
        Document(
            title=_("Protocol: %(name)s") % {"name": study.name},
            subtitle=_standing(study),
            sections=sections,
            footer=language_marks.marked(study.protocol_sha256 or study.name),
            page_word=_("Page"),
            drawing=figure.drawing,
            drawing_title=figure.title,
            notes=[_("Which photos were drawn, and their hashes, are in the protocol as JSON.")]
            if study.protocol_sha256
            else [],
        ),
        FONT_FILE,
    )


def _asked(study: Study, besides: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    asked, not_asked = _("asked,not asked").split(",")
    may, may_not = _("allowed,not allowed").split(",")
    facts = {"age": _("age"), "sex": _("sex"), "site": _("anatomic site")}
    told_of = ", ".join(facts[one] for one in study.shown_facts if one in facts)
    return [
        (_("Choices"), spoken.diseases(study.choices)),
        (_("Confidence"), asked if study.asks_confidence else not_asked),
        (_("Second choice"), asked if study.asks_second else not_asked),
        *besides,
        (_("Going back"), may if study.may_go_back else may_not),
        (_("Readers are told"), told_of or _("nothing but the photo")),
    ]


def _standing(study: Study) -> str:
    if not study.protocol_sha256 or not study.opened_at:
        return _("Draft: nothing is fixed yet.")
    return _("Fixed on %(day)s, SHA-256 %(hash)s.") % {
        "day": f"{study.opened_at:%Y-%m-%d}", "hash": study.protocol_sha256,
    }  # fmt: skip


def checklist(study: Study, kind: str, known: dict[str, str] | None = None) -> list[tuple[str, str, str]]:
    """(number, item, what is known: "" where the authors have to write it) of one of ``CHECKLISTS``. ``known``: what
    ``told`` tells of the study, for who asks of several."""
    known = told(study) if known is None else known
    return [(number, str(LABELS[key]), known.get(key, "")) for number, key in CHECKLISTS[kind]]


def missing(study: Study, kind: str, known: dict[str, str] | None = None) -> list[str]:
    """The items of which nothing is stored, by number."""
    return [number for number, _item, text in checklist(study, kind, known) if not text]


def checklist_csv(study: Study, kind: str) -> bytes:
    columns = (_("Item"), _("What it asks for"), _("What is stored"), _("State"))
    return table_csv(
        columns,
        (
            (number, item, text, _("filled in from the study") if text else _("missing"))
            for number, item, text in checklist(study, kind)
        ),
    )


def checklist_pdf(study: Study, kind: str) -> bytes:
    rows = checklist(study, kind)
    filled = sum(bool(text) for _number, _item, text in rows)
    return document.to_pdf(
        Document(
            title=f"{NAMES[kind]}: {study.name}",
            subtitle=_standing(study),
            sections=[
                Section(
                    _("%(n)d of %(all)d items are filled in from what is stored")
                    % {"n": filled, "all": len(rows)},
                    [(number, item, text or _("MISSING: to be written")) for number, item, text in rows],
                    (0.12, 0.34, 0.54),
                )
            ],
            footer=language_marks.marked(study.protocol_sha256 or study.name),
            page_word=_("Page"),
        ),
        FONT_FILE,
    )


def flow_figure(study: Study, reasons: dict[str, str]) -> Figure:
    """The way of photos and readers through the study. ``reasons``: words for why photos were left out."""
    found = flow.of(study)
    left = [(reasons.get(reason, reason), n) for reason, n in found.left_out.items()]
    others = [(_("not needed"), found.not_needed or 0), (_("for practice"), found.practice)]
    photos = [Step(_("In the datasets"), found.found, [*left, *others])] if found.found is not None else []
    photos += [
        Step(_("Drawn"), found.drawn, [(_("not read"), found.drawn - found.read)] if found.read else []),
        Step(_("Read by somebody"), found.read),
        Step(_("Analysed"), found.photos_analysed),
    ]
    counting = found.invited - found.withdrawn
    readers = [
        Step(
            _("Invited"), found.invited,
            [(_("withdrawn"), found.withdrawn), (_("did not begin"), counting - found.started)],
        ),
        Step(_("Began"), found.started, [(_("did not finish"), found.started - found.finished)]),
        Step(_("Finished"), found.finished),
        Step(_("Analysed"), found.readers_analysed),
    ]  # fmt: skip
    return flow_plot.diagram(_("Flow of photos and readers"), photos, readers)
