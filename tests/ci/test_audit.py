"""What `make audit` makes of the auditor's report; the database itself is asked by whoever runs it."""

from importlib.util import module_from_spec, spec_from_file_location

from django.conf import settings

FILE = settings.BASE_DIR / ".ci" / "audit.py"


def test_a_package_that_was_not_looked_up_is_no_sound_one():
    spec = spec_from_file_location("audit_of_packages", FILE)
    audit = module_from_spec(spec)
    spec.loader.exec_module(audit)
    fault = {"id": "PYSEC-1", "fix_versions": ["2.1"]}
    report = {
        "dependencies": [
            {"name": "sound", "version": "1.0", "vulns": []},
            {
                "name": "bad",
                "version": "2.0",
                "vulns": [fault, fault | {"id": "PYSEC-2", "fix_versions": []}],
            },
            {"name": "unknown", "skip_reason": "not found on PyPI"},
        ]
    }
    assert audit.told(report) == [
        "bad 2.0: PYSEC-1, mended in 2.1",
        "bad 2.0: PYSEC-2, mended in no version yet",
        "unknown: not found on PyPI",
    ]
    assert all((settings.BASE_DIR / lock).is_file() for lock in audit.LOCKS)
