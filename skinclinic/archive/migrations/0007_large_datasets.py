import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0006_covered_entries"),
    ]

    operations = [
        migrations.AddField(
            model_name="datasetversion",
            name="photos",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="revision",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="asked",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="DatasetFigures",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("revision", models.PositiveIntegerField()),
                ("values", models.JSONField(default=dict)),
                ("counted_at", models.DateTimeField()),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="figures",
                        to="archive.datasetversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DatasetMarked",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                ("keys", models.JSONField(default=list)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="marked",
                        to="archive.datasetversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("version", "kind"), name="one_marked_a_kind"),
                ],
            },
        ),
    ]
