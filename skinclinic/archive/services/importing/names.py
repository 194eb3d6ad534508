"""What is to be said of how a table names patients and lesions: a name spelt in two ways tears apart what belongs
together, and nobody sees it later."""

from skinclinic.archive.formats.layouts import Layout
from skinclinic.archive.formats.problems import Problem, _
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.formats.words.folding import bare


class Names:
    """Told of rows one after the other; ``of`` gives what is to be said of each."""

    def __init__(self, layout: Layout):
        self.columns = {
            name: str(layout.columns[name]) for name in ("patient", "lesion") if name in layout.columns
        }
        # {field: {spelling without its differences: the one that came first}}
        self.spelt: dict[str, dict[str, str]] = {name: {} for name in self.columns}
        self.patient_of: dict[str, str] = {}

    def of(self, row: Row) -> list[Problem]:
        notes = []
        for name, column in self.columns.items():
            text = getattr(row, name)
            if not text:
                if name == "patient":
                    notes.append(Problem(column, _("is empty; the photo is of no known patient")))
                continue
            first = self.spelt[name].setdefault(bare(text), text)
            if first != text:
                message = _(
                    "differs from another name only in case, blanks, marks or leading zeros; taken for another"
                )
                notes.append(Problem(column, message, f"{first} ↔ {text}"))
        if "patient" in self.columns and row.lesion:
            patient = self.patient_of.setdefault(row.lesion, row.patient)
            if patient != row.patient:
                message = _("the lesion is named with another patient, too; taken for another lesion")
                shown = f"{row.lesion}: {patient or '–'} ↔ {row.patient or '–'}"
                notes.append(Problem(self.columns["lesion"], message, shown))
        return notes
