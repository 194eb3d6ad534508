"""The examples for Prometheus, by its own promtool, and held against what the product tells."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from django.conf import settings as django_settings
from django.urls import reverse as url

from classifier.services.analysis import analyses
from skinclinic.engine import jobs, machine, tally
from tests import factories

FOLDER = Path(django_settings.BASE_DIR, "docker/prometheus")
RULES = FOLDER / "skinclinic.rules.yml"


@pytest.fixture
def text(client, settings, clinic, clinician, model_version, monkeypatch) -> str:
    """Figures of an installation in which there is something of everything."""
    settings.METRICS_TOKEN = "t" * 32
    analyses.request_analysis(factories.make_photo(clinic, clinician), user=clinician)
    tally.note("analyse", tally.DONE, 1)
    gpus = [{"name": "H200", "memory": 2, "memory_left": 1}]
    monkeypatch.setattr(machine, "_probes", [lambda: {"gpus": gpus}])
    monkeypatch.setattr("skinclinic.engine.health.trouble", lambda: "disk")
    jobs.worker_alive("host:7", begins=True)
    tally.reset()
    client.get(url("login"))
    return client.get(url("metrics"), headers={"Authorization": f"Bearer {'t' * 32}"}).content.decode()


@pytest.mark.django_db
def test_alerts_ask_for_figures_there_are(text):
    told = set(re.findall(r"^(skinclinic_\w+)", text, re.M))
    expressions = [
        rule["expr"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]
    asked = set(re.findall(r"skinclinic_\w+", " ".join(expressions)))
    assert asked and asked <= told, asked - told
    kinds = set(re.findall(r'kind="([\w-]+)"', " ".join(expressions)))
    assert kinds <= {kind for queue in jobs.queues() for kind in jobs.kinds_of(queue)}
    guide = Path(django_settings.BASE_DIR, "docs/monitoring.md").read_text()
    lacking = {
        name.removesuffix("_total") for name in told if not re.search("_(bucket|created|sum|count)$", name)
    }
    lacking = {name for name in lacking if name not in guide}
    assert not lacking, "docs/monitoring.md tells what each figure is"


@pytest.mark.promtool
@pytest.mark.django_db
def test_promtool_finds_nothing_against_figures_rules_and_settings(text, tmp_path):
    def promtool(*words: str, given: str = "") -> None:
        done = subprocess.run(["promtool", *words], input=given, capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr

    own = re.sub(r"^(# (HELP|TYPE) )?(python|process)_.*\n", "", text, flags=re.M)
    promtool("check", "metrics", given=own)
    promtool("check", "config", "--syntax-only", str(FOLDER / "prometheus.yml"))
    promtool("check", "rules", str(RULES))
    waits = 'skinclinic_job_oldest_waiting_seconds{kind="analyse", instance="%s", job="skinclinic"}'
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({
        "rule_files": [str(RULES)],
        "tests": [{
            "interval": "1m",
            "input_series": [{"series": waits % node, "values": "0+60x20"} for node in ("a", "b")],
            "alert_rule_test": [
                {"eval_time": "4m", "alertname": "SkinClinicPhotosWait"},
                # Every node tells the same; one alert comes of it.
                {"eval_time": "10m", "alertname": "SkinClinicPhotosWait", "exp_alerts": [{
                    "exp_labels": {"severity": "page", "kind": "analyse", "job": "skinclinic"},
                    "exp_annotations": {"summary": "A photo waits for 10m 0s"},
                }]},
            ],
        }],
    }))  # fmt: skip
    promtool("test", "rules", str(tmp_path / "tests.yml"))
