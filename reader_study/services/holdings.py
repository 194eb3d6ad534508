"""Files of studies, and the folders that are theirs."""

from collections.abc import Iterator

from reader_study.models import Study, StudyResult
from reader_study.services.results.results import FOLDER, POLICIES, report_name
from skinclinic.services import holdings
from skinclinic.services.holdings import Held


@holdings.names_files
def of_results(alias: str) -> Iterator[Held]:
    computed = StudyResult._base_manager.using(alias).exclude(computed_at=None)
    for key in computed.values_list("study", flat=True):
        for policy in POLICIES:
            yield Held(f"studies/{key}/{FOLDER}/{report_name(policy)}", f"results of study {key}")


def study_folders() -> set[str]:
    return {str(key) for key in Study.objects.values_list("pk", flat=True)} | {".replays"}


holdings.owned |= {"studies": study_folders}
