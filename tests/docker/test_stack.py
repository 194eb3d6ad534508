"""The production stack, as far as it can be checked without a Docker engine."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
DOCKER = ROOT / "docker"
ENVIRONMENT = {
    "SECRET_KEY": "x",
    "POSTGRES_PASSWORD": "y",
    "ALLOWED_HOSTS": "skin.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://skin.example.org",
    "PATH": "/usr/bin:/bin",
}


@pytest.fixture(scope="module")
def stack() -> dict:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


def test_every_part_of_the_stack_is_there(stack):
    wanted = {
        "proxy",
        "web",
        "worker-cpu",
        "worker-gpu",
        "batch-cpu",
        "batch-gpu",
        "trainer-cpu",
        "trainer-gpu",
    }
    wanted |= {"mailer", "reconciler", "redis", "postgres", "prepare"}
    assert wanted == set(stack["services"])


@pytest.mark.compose
def test_compose_accepts_the_file_and_refuses_it_without_secrets():
    command = [shutil.which("docker-compose"), "-f", str(DOCKER / "compose.yaml"), "config"]
    accepted = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, cwd=DOCKER)
    assert accepted.returncode == 0, accepted.stderr
    assert "postgres://skinclinic:y@postgres:5432/skinclinic" in accepted.stdout
    bare = {name: value for name, value in ENVIRONMENT.items() if name != "SECRET_KEY"}
    refused = subprocess.run(command, env=bare, capture_output=True, text=True, cwd=DOCKER)
    assert refused.returncode != 0
    assert "SECRET_KEY" in refused.stderr


def test_files_the_images_and_services_name_exist(stack):
    for service in stack["services"].values():
        if build := service.get("build"):
            assert (DOCKER / build["context"] / build["dockerfile"]).is_file()
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./") and source != "./tls":
                assert (DOCKER / source).exists(), source
    for dockerfile in DOCKER.glob("*.Dockerfile"):
        for line in re.findall(r"^COPY (.+) \S+$", dockerfile.read_text(), re.M):
            for source in line.split():
                assert (ROOT / source).exists(), source


def test_management_commands_of_the_stack_exist(stack):
    text = " ".join(str(service.get("command", "")) for service in stack["services"].values())
    named = set(re.findall(r"manage\.py (\w+)", text))
    assert named >= {"migrate", "collectstatic", "register_models"}
    assert named <= set(get_commands())


def test_variables_of_the_stack_are_read_by_the_settings(stack):
    read = "".join(path.read_text() for path in (ROOT / "skinclinic/settings").glob("*.py"))
    for name in stack["x-environment"]:
        assert f'"{name}"' in read, name


def test_web_image_carries_no_network_library():
    web = (DOCKER / "requirements-web.txt").read_text()
    assert not re.search(r"^(torch|onnx|grad-cam)", web, re.M)
    assert "-r requirements.txt" not in (DOCKER / "web.Dockerfile").read_text()


def test_only_gpu_services_ask_for_a_gpu(stack):
    asking = {name for name, service in stack["services"].items() if "deploy" in service}
    assert asking == {"worker-gpu", "batch-gpu", "trainer-gpu"}
    assert all(stack["services"][name]["profiles"] == ["gpu"] for name in asking)


def served_by(stack: dict) -> dict[str, set[str]]:
    """The queues that each service serves."""
    plain = re.search(r'"--queues", "([\w,]+)"', (DOCKER / "worker.Dockerfile").read_text())[1]
    served = {}
    for name, service in stack["services"].items():
        command = str(service.get("command", ""))
        if found := re.search(r"--queues (\S+)", command):
            served[name] = set(found[1].split(","))
        elif service.get("image") == "skinclinic-worker" and not command:
            served[name] = set(plain.split(","))
    return served


def test_every_queue_has_workers_of_its_own(stack):
    from skinclinic.engine import jobs

    served = served_by(stack)
    assert all(len(queues) == 1 for queues in served.values()), served
    for kind in jobs._kinds:
        assert {jobs.queue_of(kind)} in served.values(), kind
    assert (
        jobs.queue_of("train") == "training"
        and jobs.queue_of("analyse") == jobs.queue_of("try") == "analysis"
    )
    long = {"import-check", "import-write", "find-duplicates", "dataset-fill", "dataset-freeze", "evaluate"}
    long |= {"check-labels", "study-model-answers", "study-results"}
    assert {jobs.queue_of(kind) for kind in long} == {"batch"}


def test_reconciling_waits_behind_nothing(stack):
    """It is a process of its own, and no message that a busy worker would have to read."""
    assert stack["services"]["reconciler"]["command"] == "python manage.py reconcile"
    assert not getattr(settings, "CELERY_BEAT_SCHEDULE", None)
