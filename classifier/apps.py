from django.apps import AppConfig


class ClassifierConfig(AppConfig):
    name = "classifier"

    def ready(self):
        # Declares the kinds of job and how pages show them, so that the web process, too, knows their queues.
        from classifier import audited  # noqa: F401
        from classifier.jobs import analysis, evaluation, following, models, shadow, training  # noqa: F401
        from classifier.jobs import explanations as _explaining  # noqa: F401
        from classifier.jobs import suggested_squares as _suggesting  # noqa: F401
        from classifier.presenters import (  # noqa: F401
            audit_words,
            dicom_files,
            explanations,
            model_exports,
            training_progress,
            work,
        )
        from classifier.services import doctor, first_steps, holdings, measured, size  # noqa: F401
        from classifier.services.analysis import covered  # noqa: F401
        from classifier.services.analysis.assessments import hidden_photo_ids
        from classifier.services.analysis.summaries import familiarity, is_unfit, told
        from classifier.services.following import counted  # noqa: F401
        from classifier.services.models import upload
        from classifier.services.training import binned, erasing, queued, withdrawal  # noqa: F401
        from skinclinic.archive.services.curating import from_clinic
        from skinclinic.services import photo_answers, quotas, worklist
        from skinclinic.services.binning import merges

        merges.GIVEN["counted"] = self.get_model("MonitorCase")
        quotas.rooms.append(upload.room)
        from_clinic.unfit.append(is_unfit)
        photo_answers.tellers.append(told)
        photo_answers.familiarity_tellers.append(familiarity)
        worklist.answer_filters.append(hidden_photo_ids)
