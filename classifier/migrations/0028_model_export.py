import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0026_suggested_squares'),
        ('skinclinic', '0040_jobs_that_are_open'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ModelExport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('refused', 'Refused'), ('stopped', 'Stopped'), ('failed', 'Failed')], default='waiting', max_length=8)),
                ('total', models.PositiveIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0)),
                ('error', models.TextField(blank=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('format', models.CharField(choices=[('openvino', 'OpenVINO'), ('onnx', 'ONNX')], max_length=8)),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('outputs', models.JSONField(blank=True, default=list)),
                ('library', models.CharField(blank=True, default='', max_length=120)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='model_exports', to='skinclinic.clinic')),
                ('model_version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exports', to='classifier.modelversion')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('clinic', 'model_version', 'format'), name='one_export_a_model_and_format')],
            },
        ),
    ]
