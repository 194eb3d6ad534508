"""What a person says of a replay's files: what their words for diseases mean, and how their text is read."""

from django.http import QueryDict

from reader_study.services.results.replay_drafts import Said
from reader_study.services.results.study_tables import FILES
from skinclinic.archive.formats.columns import LEAVE_OUT
from skinclinic.archive.formats.encodings import CANDIDATES
from skinclinic.archive.formats.words.folding import bare
from skinclinic.archive.models import SavedMapping
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.inputs import storable

LONGEST_WORD = 20_000


def from_saved(mapping: SavedMapping, sent: QueryDict) -> Said:
    """What a mapping that an import has kept says of the words that are asked about."""
    known = {
        bare(word): label for word, label in mapping.labels.items() if label in (*DISEASE_KEYS, LEAVE_OUT)
    }
    return Said({word: known[bare(word)] for word in sent.getlist("word") if bare(word) in known})


def said_in(sent: QueryDict) -> Said:
    """What can be used of it; what is left is asked again. ``word`` and ``meaning`` come in pairs."""
    pairs = zip(sent.getlist("word"), sent.getlist("meaning"), strict=False)
    labels = {
        word: meaning
        for word, meaning in pairs
        if meaning in (*DISEASE_KEYS, LEAVE_OUT) and len(word) <= LONGEST_WORD and storable(word)
    }
    encodings = {name: sent[f"encoding-{name}"] for name in FILES if f"encoding-{name}" in sent}
    return Said(labels, {name: key for name, key in encodings.items() if key in CANDIDATES})
