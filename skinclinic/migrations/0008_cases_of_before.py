"""The words and cases that there are already. In a file of its own: PostgreSQL makes no index on a table whose rows
were changed in the same transaction."""

import re

from django.db import migrations
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import TruncDate

from skinclinic.vocabulary.terms import fold

TOGETHER = 2000
MOST_WORDS, LONGEST_WORD = 60, 40
PART = re.compile(r"[^\W_]+")


def words_of(text):
    """The words of a text as the search looked them up when this was written."""
    found = {}
    for whole in fold(text).split():
        for word in (whole, *PART.findall(whole)):
            found[word[:LONGEST_WORD]] = None
    return set(list(found)[:MOST_WORDS])


def index_words(apps, editor):
    """Let the search find the photos and diagnoses that there are by their words."""
    for owner, column, text in (("Photo", "photo_id", "original_name"), ("Diagnosis", "diagnosis_id", "text")):
        word = apps.get_model("skinclinic", f"{owner}Word")
        rows = apps.get_model("skinclinic", owner).objects.exclude(**{text: ""})
        rows = rows.filter(lesion__is_archived=False, words=None).order_by("pk").values_list("pk", "clinic", text)
        made = []
        for pk, clinic, said in rows.iterator(chunk_size=TOGETHER):
            made += [word(clinic_id=clinic, word=one, **{column: pk}) for one in sorted(words_of(said))]
            if len(made) >= TOGETHER:
                word.objects.bulk_create(made, batch_size=TOGETHER)
                made = []
        word.objects.bulk_create(made, batch_size=TOGETHER)


def settle_proven(apps, editor):
    """A pathology that is newer than the newest photo has settled its case."""
    diagnosis = apps.get_model("skinclinic", "Diagnosis")
    lesion = apps.get_model("skinclinic", "Lesion")
    proofs = diagnosis.objects.filter(lesion=OuterRef("pk"), kind="pathology", withdrawn_at=None)
    covers = apps.get_model("skinclinic", "Photo").objects.filter(pk=OuterRef("cover"))
    own = lesion.objects.filter(is_archived=False, is_proven=True)
    own.update(settled_at=Subquery(proofs.order_by("-created_at").values("created_at")[:1]))
    own.annotate(
        newest=TruncDate(Subquery(covers.values("created_at")[:1])), settled=TruncDate("settled_at")
    ).filter(settled__lt=F("newest")).update(settled_at=None)
    own.filter(settled_at__isnull=False).update(to_decide=False)


class Migration(migrations.Migration):

    dependencies = [
        ('skinclinic', '0007_cases'),
    ]

    operations = [
        migrations.RunPython(index_words, migrations.RunPython.noop),
        migrations.RunPython(settle_proven, migrations.RunPython.noop),
    ]
