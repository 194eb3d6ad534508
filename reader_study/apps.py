from django.apps import AppConfig


class ReaderStudyConfig(AppConfig):
    name = "reader_study"

    def ready(self):
        # Declares the kinds of job and how pages show them, so that the web process, too, knows their queues.
        from reader_study import audited  # noqa: F401
        from reader_study.jobs import model_answers, results  # noqa: F401
        from reader_study.presenters import audit_words, work  # noqa: F401
        from reader_study.services import attention, first_steps, holdings, retention  # noqa: F401
        from reader_study.services.access import told_of_covering, why_kept, why_not_covered
        from reader_study.services.making import binned, erasing, reminding, withdrawal  # noqa: F401
        from skinclinic.services import covering, photos

        photos.reasons_to_keep.append(why_kept)
        covering.reasons_against.append(why_not_covered)
        covering.consequences.append(told_of_covering)
