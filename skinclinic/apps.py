from django.apps import AppConfig

# Before any model is made.
from skinclinic import (
    choice_names,  # noqa: F401
    host_names,
)
from skinclinic.engine import clock

clock.keep()
host_names.keep()


class SkinClinicConfig(AppConfig):
    name = "skinclinic"

    def ready(self) -> None:
        # Declares its job and registers its broom in every process.
        from allauth.account.signals import user_logged_in as signed_in_by_allauth
        from django.contrib.auth.signals import user_logged_in
        from django.db.models.signals import post_migrate

        from skinclinic import audited  # noqa: F401
        from skinclinic.files import left_uploads  # noqa: F401
        from skinclinic.files import notes as file_notes  # noqa: F401
        from skinclinic.jobs import (  # noqa: F401
            archived_photos,
            erasing,
            image_archives,
            mail,
            old_file_names,
            retention,
            webhooks,
        )
        from skinclinic.services import (  # noqa: F401
            alarms,
            allauth_adapters,
            audit_chain,
            audit_rows,
            audit_sign_ins,
            follow_up_reminders,
            former_tables,
            holdings,
            kept_counts,
            password_links,
            plans,
            repeated,
            second_opinions,
            sign_in_limits,
            token_reminders,
            word_indexes,
        )
        from skinclinic.services.binning import emptying, pictures  # noqa: F401
        from skinclinic.services.doctor import machine, photo_storage, stores  # noqa: F401
        from skinclinic.services.erasing import again  # noqa: F401
        from skinclinic.services.measured import sources  # noqa: F401
        from skinclinic.web.sessions import begin, begun_at_provider

        word_indexes.search_in(self.get_model("Patient"), "code")
        word_indexes.search_in_few(self.get_model("Lesion"), "note")
        post_migrate.connect(word_indexes.after_migrate, sender=self, dispatch_uid="word_indexes")
        user_logged_in.connect(begin, dispatch_uid="session.begin")
        signed_in_by_allauth.connect(begun_at_provider, dispatch_uid="session.begun_at_provider")
