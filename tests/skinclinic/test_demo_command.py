"""Which processes the demo runs: every queue has a worker, and photos and reconciling have theirs alone."""

from types import SimpleNamespace

from django.core.management import call_command

from skinclinic.engine import jobs
from skinclinic.management.commands import demo
from tests import servers


def test_photos_and_reconciling_wait_behind_nothing(monkeypatch, settings):
    started = {}
    settings.EMBEDDED = True
    monkeypatch.setenv("PORT", str(servers.free_port()))
    monkeypatch.setattr(demo, "call_command", lambda *_names, **_options: None)
    monkeypatch.setattr(demo.subprocess, "run", lambda *_names, **_options: SimpleNamespace(returncode=0))
    monkeypatch.setattr(demo, "run_together", lambda commands, **_options: started.update(commands))
    call_command("demo")
    served = {
        name: command[command.index("--queues") + 1].split(",")
        for name, command in started.items()
        if "--queues" in command
    }
    assert served["worker"] == [jobs.PHOTOS]
    assert sorted(queue for queues in served.values() for queue in queues) == sorted(
        {jobs.queue_of(kind) for kind in jobs._kinds}
    )
    assert started["reconciler"][-1] == "reconcile"


def test_each_processor_has_a_web_process_and_many_have_four(monkeypatch, tmp_path):
    served = []
    for usable in (1, 2, 64):
        monkeypatch.setattr(demo.processors, "usable", lambda usable=usable: usable)
        words = demo.Command._gunicorn(8000, tmp_path)
        served.append(words[words.index("--workers") + 1])
    assert served == ["1", "2", "4"]
