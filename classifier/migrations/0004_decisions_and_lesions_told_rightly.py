"""What was told wrongly is told rightly: decisions that called themselves agreement although the model had listed
something else, and lesions that carried the answer of their newest photo, whatever its kind.

Lesions are written a few hundred at a time, each chunk by itself, and only where they are not right already: what is
interrupted goes on where it was when it is run again. The rule is a copy of that of ``classifier.metrics.counting`` as it
was when this was written, so that it works on these columns whatever the product says later.
"""

from collections import defaultdict

from django.db import migrations, models, transaction
from django.db.models import Q
from django.utils import timezone

from skinclinic.imaging import Box, largest_centred_square
from skinclinic.imaging.quality import shows_nothing
from skinclinic.vocabulary.diseases import MALIGNANT_KEYS

CHUNK = 500
FIELDS = ("state", "answer_photo_id", "top_disease", "top_score", "malignant_sum", "set_aside")
OF_PHOTOS = ("pk", "lesion_id", "kind", "captured_at", "created_at", "width", "height", "box_x", "box_y", "box_size")


def bring_lesions_up_to_date(apps, schema_editor):
    models_ = {
        "lesion_model": apps.get_model("skinclinic", "Lesion"),
        "photo_model": apps.get_model("skinclinic", "Photo"),
        "analysis_model": apps.get_model("classifier", "Analysis"),
    }
    # Without an analysis there is nothing to carry; a second photo may have one that the newest has not.
    lesions = models_["lesion_model"].objects.filter(~Q(state="empty") | Q(photo_count__gt=1)).order_by("pk")
    last = 0
    while keys := list(lesions.filter(pk__gt=last).values_list("pk", flat=True)[:CHUNK]):
        last = keys[-1]
        with transaction.atomic():
            held = models_["lesion_model"].objects.select_for_update(no_key=True).filter(pk__in=keys)
            _write(list(held.order_by("pk").only("pk", "cover_id", *FIELDS)), **models_)


def _write(lesions, *, lesion_model, photo_model, analysis_model):
    answers = _answers([row.pk for row in lesions], photo_model, analysis_model)
    changed = []
    for row in lesions:
        values = _summary(answers[row.pk], row.cover_id)
        if any(getattr(row, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(row, name, value)
            changed.append(row)
    if changed:
        names = ["answer_photo" if name == "answer_photo_id" else name for name in FIELDS]
        lesion_model.objects.bulk_update(changed, names)


def _answers(lesion_ids, photo_model, analysis_model):
    """Every photo of the lesions with the newest answer to its present square, by lesion."""
    photos = list(photo_model.objects.filter(lesion__in=lesion_ids).values(*OF_PHOTOS))
    boxes = {photo["pk"]: _box(photo) for photo in photos}
    rows = analysis_model.objects.filter(photo__lesion__in=lesion_ids, job__isnull=False).order_by("pk")
    newest = {}
    for row in rows.values("photo_id", "box_x", "box_y", "box_size", "scores", "quality", "job__state"):
        if boxes.get(row["photo_id"]) != Box(row["box_x"], row["box_y"], row["box_size"]):
            continue
        before = newest.get(row["photo_id"], {})
        kept = {name: before.get(name) for name in ("scores", "quality")} if row["scores"] is None else {}
        newest[row["photo_id"]] = row | kept | {"state": "done" if row["scores"] else row["job__state"]}
    answers = defaultdict(list)
    for photo in photos:
        row = newest.get(photo["pk"], {})
        stored, quality, scores = timezone.localdate(photo["created_at"]), row.get("quality"), row.get("scores")
        day = min(timezone.localdate(photo["captured_at"]), stored) if photo["captured_at"] else stored
        unfit = "unfit" if quality and shows_nothing(quality) else ""
        answers[photo["lesion_id"]].append({
            "photo": photo["pk"], "day": day, "state": row.get("state", "empty"), "scores": scores,
            "set_aside": photo["kind"] if photo["kind"] != "close_up" else unfit,
            "doubtful": bool(quality and quality.get("warnings")),
            "malignant": sum((scores or {}).get(key, 0.0) for key in MALIGNANT_KEYS),
        })  # fmt: skip
    return answers


def _box(photo):
    square = photo["box_x"], photo["box_y"], photo["box_size"]
    return largest_centred_square(photo["width"], photo["height"]) if None in square else Box(*square)


def _summary(answers, cover):
    chosen = _carried(answers)
    by_photo = {one["photo"]: one for one in answers}
    analysed = [one for one in answers if one["scores"] is not None]
    told = by_photo.get(cover)
    if told is None or told["scores"] is None:
        told = max(analysed, key=lambda one: (one["day"], one["photo"]), default=None)
    values = dict.fromkeys(("answer_photo_id", "top_score", "malignant_sum"))
    values |= {"top_disease": "", "set_aside": told["set_aside"] if told and chosen is None else ""}
    values["state"] = _state({one["state"] for one in answers}, by_photo.get(cover), bool(analysed))
    if chosen and (scores := chosen["scores"]):
        top = max(scores, key=scores.__getitem__)
        values |= {"answer_photo_id": chosen["photo"], "top_disease": top, "top_score": scores[top]}
        values["malignant_sum"] = chosen["malignant"]
    return values


def _carried(answers):
    """The most suspicious of the fit close-ups of the last visit; a photo that was warned about only raises it."""
    counting = [one for one in answers if one["scores"] is not None and not one["set_aside"]]
    sure = [one for one in counting if not one["doubtful"]]
    doubtful = [one for one in counting if one["doubtful"]]
    days = {max(one["day"] for one in group) for group in (sure, doubtful) if group}
    if not days:
        return None
    last = max((one["day"] for one in sure), default=max(days))
    visit = [one for one in sure if one["day"] == last]
    visit += [one for one in doubtful if one["day"] == last or (one["day"] in days and one["day"] > last)]
    return max(visit, key=lambda one: (one["malignant"], one["day"], one["photo"]))


def _state(states, cover, is_analysed):
    under_way = next((state for state in ("running", "queued") if state in states), None)
    if under_way or (cover and cover["state"] == "failed"):
        return under_way or "failed"
    if is_analysed:
        return "done"
    return "failed" if "failed" in states else "empty"


def tell_decisions_rightly(apps, schema_editor):
    Assessment = apps.get_model("classifier", "Assessment")
    rows = Assessment.objects.select_related("impression", "conclusion").order_by("pk")
    rows = rows.exclude(impression=None)
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        last = chunk[-1].pk
        changed = [row for row in chunk if _told_rightly(row)]
        Assessment.objects.bulk_update(changed, ["decision", "earlier_decisions"])


def _told_rightly(row) -> bool:
    """Whether anything of the row had to be changed."""
    before = row.decision, [entry.get("decision") for entry in row.earlier_decisions]
    if _agrees(row):
        return False
    if row.decision == "agree":
        row.decision = "keep"
    for entry in row.earlier_decisions:
        if entry.get("decision") == "agree":
            entry["decision"] = "keep"
    return before != (row.decision, [entry.get("decision") for entry in row.earlier_decisions])


def _agrees(row) -> bool:
    """Whether the impression is what the model listed first, or neither named one of the 12."""
    if row.threshold_set_id is None:
        return False
    if row.impression.disease:
        return row.listed[:1] == [row.impression.disease]
    return not row.listed


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("classifier", "0003_notes_of_tried_photos"),
        ("skinclinic", "0006_whose_answer_a_lesion_carries"),
    ]

    operations = [
        migrations.AlterField(
            model_name="assessment",
            name="decision",
            field=models.CharField(
                blank=True,
                choices=[
                    ("agree", "Agrees with the model"),
                    ("keep", "Own diagnosis kept"),
                    ("take", "The model's taken"),
                    ("change", "Something else"),
                    ("dismiss", "The model set aside"),
                ],
                max_length=8,
                verbose_name="decision",
            ),
        ),
        migrations.RunPython(tell_decisions_rightly, migrations.RunPython.noop),
        migrations.RunPython(bring_lesions_up_to_date, migrations.RunPython.noop),
    ]
