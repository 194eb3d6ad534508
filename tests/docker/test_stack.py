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
    wanted |= {"mailer", "reconciler", "redis", "postgres", "prepare", "backup", "scanner", "dicom"}
    assert wanted == set(stack["services"])


@pytest.mark.compose
def test_compose_accepts_the_file_and_refuses_it_without_secrets():
    command = [shutil.which("docker-compose"), "-f", str(DOCKER / "compose.yaml"), "config"]
    accepted = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, cwd=DOCKER)
    assert accepted.returncode == 0, accepted.stderr
    assert "postgres://skinclinic@postgres:5432/skinclinic" in accepted.stdout
    bare = {name: value for name, value in ENVIRONMENT.items() if name != "ALLOWED_HOSTS"}
    refused = subprocess.run(command, env=bare, capture_output=True, text=True, cwd=DOCKER)
    assert refused.returncode != 0
    assert "ALLOWED_HOSTS" in refused.stderr


def test_no_part_may_more_than_it_needs(stack):
    for name, service in stack["services"].items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["pids_limit"] and service["mem_limit"] and "/tmp" in service["tmpfs"], name
        assert service["networks"], name
        # Only images that begin as root give rights away themselves.
        assert not service.get("cap_add") or name in ("proxy", "postgres"), name
    reached = {name: set(service["networks"]) for name, service in stack["services"].items()}
    assert reached["proxy"] == {"front"} and not reached["proxy"] & reached["postgres"]
    assert stack["networks"]["store"] == {"internal": True}
    # Where something of the hospital's network connects to, nothing else of ours is.
    assert [name for name in reached if "dicom" in reached[name]] == ["dicom"]
    assert all(reached[name] == {"store"} for name in ("postgres", "redis", "worker-cpu"))
    # Those that take files in reach the scanner, which reaches no rows.
    assert stack["networks"]["scan"] == {"internal": True} and reached["scanner"] == {"scan", "outside"}
    assert {name for name in reached if "scan" in reached[name]} == {
        "scanner",
        "web",
        "batch-cpu",
        "batch-gpu",
    }


def test_the_proxy_has_only_what_it_serves(stack):
    config = (DOCKER / "nginx.conf").read_text()
    served = {path.rstrip("/") for path in re.findall(r"alias (\S+);", config)}
    mounted = {volume.split(":")[1] for volume in stack["services"]["proxy"]["volumes"]}
    assert {path for path in mounted if path.startswith("/data")} == served
    for name in ("web", "worker-cpu", "prepare"):
        assert served <= {volume.split(":")[1] for volume in stack["services"][name]["volumes"]}


def test_secrets_are_files_and_stand_in_no_environment(stack, tmp_path, monkeypatch):
    """Whatever letters they have, and though an editor ends them with a line break."""
    from celery import Celery

    from skinclinic.settings.environment import Environment, with_password

    named = {name for name in stack["x-environment"] if name.endswith("_FILE")}
    assert named == {
        "SECRET_KEY_FILE", "SECRET_KEY_FALLBACKS_FILE", "POSTGRES_PASSWORD_FILE", "REDIS_PASSWORD_FILE",
        "EMAIL_URL_FILE", "OIDC_CLIENT_SECRET_FILE", "METRICS_TOKEN_FILE",
    }  # fmt: skip
    bare = re.compile(r"(SECRET|TOKEN|PASSWORD|KEY|KEY_FALLBACKS|EMAIL_URL)$")
    for name, part in stack["services"].items():
        assert not list(filter(bare.search, part.get("environment", ()))), name
    files = {stack["x-environment"][name].rpartition("/")[2] for name in named}
    assert files | {"backup_key"} == set(stack["secrets"]) and files == set(
        stack["services"]["web"]["secrets"]
    )
    # Who breaks into another part opens no backup.
    assert [name for name, part in stack["services"].items() if "backup_key" in part.get("secrets", ())] == [
        "backup"
    ]
    assert not re.search(r"PASSWORD: |SECRET_KEY: ", (DOCKER / "compose.yaml").read_text())
    password = "a@b/c:d%e#f ?\u00e9"
    (tmp_path / "password").write_text(f"{password}\n")
    monkeypatch.setenv("A_PASSWORD_FILE", str(tmp_path / "password"))
    env = Environment()
    assert env("A_PASSWORD") == password and env("B_PASSWORD", default="") == ""
    # Those that nobody needs are empty.
    (tmp_path / "none").touch()
    monkeypatch.setenv("SOME_FILE", str(tmp_path / "none"))
    assert env("SOME", default="x") == "" and env.list("SOME", default=["x"]) == []
    broker = Celery(broker=with_password("redis://redis:6379/0", password)).connection_for_read()
    assert (broker.password, broker.hostname, broker.port) == (password, "redis", 6379)
    assert with_password("embedded://localhost", "") == "embedded://localhost"


@pytest.mark.parametrize("image", ["web", "worker"])
def test_the_images_install_what_was_locked_and_nothing_else(image):
    """Each package that is asked for, in this version, and every one by its hash (docker/lock.sh writes them)."""
    asked = (DOCKER / f"requirements-{image}.txt").read_text()
    if image == "worker":
        asked += (DOCKER / "requirements-web.txt").read_text()
    wanted = dict(re.findall(r"^([\w-]+)(?:\[\w+\])?==([^\s;]+)", asked, re.M))
    entries = re.split(r"^(?=\w)", (DOCKER / f"requirements-{image}.lock").read_text(), flags=re.M)[1:]
    locked = dict(re.match(r"([\w.-]+)==([^\s;]+)", entry).groups() for entry in entries)
    assert {name.lower(): version for name, version in wanted.items()}.items() <= locked.items()
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    # Networks are run, and answers explained, by workers alone.
    assert ("torch" in locked) == ("grad-cam" in locked) == (image == "worker")
    # What it would report to its maker is not even there; nor is what the product no longer runs networks with.
    assert not {"openvino-telemetry", "onnx", "onnxruntime", "onnxscript"} & locked.keys()
    text = (DOCKER / f"{image}.Dockerfile").read_text()
    assert "--require-hashes" in text and f"requirements-{image}.lock" in text
    assert "extra-index-url" not in text


def test_images_of_others_are_held_to_their_digests(tmp_path, monkeypatch):
    """Every image that is not made here comes by a variable, of which ``images.sh`` finds and checks the digest."""
    docker = tmp_path / "docker"
    shutil.copytree(DOCKER, docker, ignore=shutil.ignore_patterns("secrets", "tls", "images.env"))
    made = ("image: skinclinic-web", "image: skinclinic-worker")
    for line in (docker / "compose.yaml").read_text().splitlines():
        if line.strip().startswith("image:") and line.strip() not in made:
            assert re.fullmatch(r" +image: \$\{[A-Z]+_IMAGE:-[\w./-]+:[\w.-]+\}", line), line
    for image in docker.glob("*.Dockerfile"):
        assert re.findall(r"^FROM (.+)$", image.read_text(), re.M) == ["${PYTHON_IMAGE}"], image.name
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "docker").write_text(f"#!/bin/sh\necho sha256:{'0f' * 32}\n")
    (programs / "docker").chmod(0o755)
    path = {"PATH": f"{programs}:/usr/bin:/bin"}

    def images(*options):
        command = ["sh", str(docker / "images.sh"), *options]
        return subprocess.run(command, env=path, capture_output=True, text=True)

    refused = images("--check")
    assert refused.returncode and "has no digest of clamav/clamav:1.5 (CLAMAV_IMAGE)" in refused.stderr
    found = images().stdout
    names = {line.partition("=")[0] for line in found.splitlines()}
    assert names == {f"{name}_IMAGE" for name in ("CLAMAV", "NGINX", "POSTGRES", "PYTHON", "REDIS")}
    (docker / "images.env").write_text(found)
    assert images("--check").returncode == 0
    (docker / "images.env").write_text(found.replace("@sha256:0f", "@sha256:", 1))
    assert images("--check").returncode
    (programs / "docker").write_text("#!/bin/sh\nexit 1\n")
    assert images().returncode


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
    for name in (name.removesuffix("_FILE") for name in stack["x-environment"]):
        assert f'"{name}"' in read, name


def test_web_image_carries_no_network_library():
    web = (DOCKER / "requirements-web.txt").read_text()
    assert not re.search(r"^(torch|openvino|grad-cam)", web, re.M)
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


def test_what_is_laid_over_the_stack_reaches_every_part_that_reads_photos(stack):
    parts = {name for name, part in stack["services"].items() if "skinclinic-" in part.get("image", "")}
    for name in ("bucket.yaml", "sealed.yaml"):
        assert set(yaml.safe_load((DOCKER / name).read_text())["services"]) == parts, name


@pytest.mark.compose
def test_compose_lays_bucket_and_key_over_the_stack():
    files = [
        part for name in ("compose", "bucket", "sealed") for part in ("-f", str(DOCKER / f"{name}.yaml"))
    ]
    given = ENVIRONMENT | {"PHOTO_STORAGE": "s3://photos/", "PHOTO_STORAGE_KEY_ID": "skinclinic"}
    done = subprocess.run(
        [shutil.which("docker-compose"), *files, "config"],
        env=given,
        capture_output=True,
        text=True,
        cwd=DOCKER,
    )
    assert done.returncode == 0, done.stderr
    web = yaml.safe_load(done.stdout)["services"]["web"]
    assert web["environment"]["PHOTO_STORAGE"] == "s3://photos/"
    assert web["environment"]["SECRET_KEY_FILE"] and set(web["networks"]) >= {"front", "store", "outside"}
    assert {secret["source"] for secret in web["secrets"]} >= {
        "secret_key",
        "photo_storage_secret",
        "photo_key",
    }
