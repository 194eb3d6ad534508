"""Train models from a frozen dataset, here and now."""

import os
from functools import partial
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from classifier.management.architecture_names import NAMES, architecture
from classifier.models import ModelVersion, Training, TrainingRun
from classifier.services.training import process as training_process
from classifier.services.training import trainings
from classifier.training.plan import IMAGENET, RANDOM
from skinclinic.archive.management.chosen import frozen_version
from skinclinic.archive.models import DatasetVersion
from skinclinic.engine import jobs
from skinclinic.management import chosen
from skinclinic.management.terminal import Tells
from skinclinic.models import Job, User
from skinclinic.services import scanning
from skinclinic.services.refused import Refused


class Command(Tells, BaseCommand):
    help = (
        "Train one or several networks on the training side of a frozen dataset and register them as model versions, "
        "unpublished. Ctrl-C stops after a checkpoint; the same command goes on from there. All GPUs are used."
    )

    def create_parser(self, *args, **options):
        # Django's own --version gives way to the dataset's.
        return super().create_parser(*args, conflict_handler="resolve", **options)

    def add_arguments(self, parser):
        parser.add_argument("--dataset", required=True, help="name of the dataset")
        parser.add_argument("--version", dest="number", type=int, help="default: the newest frozen one")
        parser.add_argument("--clinic", help="the clinic's short name, if several have this dataset")
        parser.add_argument("--user", help="who trains")
        parser.add_argument(
            "--arch",
            type=architecture,
            default=trainings.DEFAULT_ARCHITECTURE,
            metavar="NAME",
            help=f"{NAMES} (default: {trainings.DEFAULT_ARCHITECTURE})",
        )
        parser.add_argument(
            "--init",
            default=IMAGENET,
            metavar="imagenet|random|PATH",
            help="starting weights: public ImageNet weights, none, or a state dict, safetensors or model folder",
        )
        parser.add_argument("--runs", type=int, default=1, help="how many, alike but for their seeds")
        parser.add_argument("--epochs", type=int, default=trainings.DEFAULT_EPOCHS)
        parser.add_argument("--image-size", type=int, help="side in pixels (default: the network's own)")
        parser.add_argument("--batch-size", type=int, default=trainings.DEFAULT_BATCH)
        parser.add_argument("--seed", type=int, default=0, help="of the first run; the others count on")
        parser.add_argument(
            "--max-steps", type=int, default=0, help="stop after so many steps, to try it out"
        )
        parser.add_argument(
            "--freeze",
            type=int,
            metavar="BLOCKS",
            help="first blocks that keep their starting weights (default: half of them with fewer than 2,000 photos)",
        )
        parser.add_argument("--processes", type=int, default=0, help="default: one a GPU, or one")
        parser.add_argument(
            "--name", required=True, help="name of the model; NAME-1 … NAME-K for several runs"
        )

    def handle(self, **options):
        processes = options["processes"]
        if "RANK" in os.environ:
            # Under torchrun the first process starts as many as torchrun was asked for, and watches them.
            if os.environ["RANK"] != "0":
                return
            processes = processes or int(os.environ.get("WORLD_SIZE", "1"))
        version = frozen_version(options["dataset"], options["number"], options["clinic"])
        wanted = _wanted(options)
        try:
            # A network of torchvision or timm is made to be known, which takes a while: before anything is locked.
            trainings.check(wanted)
        except Refused as refused:
            raise CommandError(f"{refused.field}: {refused}") from None
        training, runs = self._claimed(wanted, version, chosen.user(options["user"]))
        for run in runs:
            self._train(run, runs, processes)
        self._summary(training)

    def _claimed(
        self, wanted: trainings.Wanted, version: DatasetVersion, user: User | None
    ) -> tuple[Training, list[TrainingRun]]:
        """The training asked for, new or to be gone on with, and its unfinished runs, which no worker can take."""
        with transaction.atomic():
            training = self._training(wanted, version, user)
            runs = list(training.runs.select_related("job", "model_version"))
            unfinished = [run for run in runs if run.job.state != Job.State.DONE]
            for run in unfinished:
                run.training = training
                if not jobs.take(run.job):
                    raise CommandError(
                        f"{run.model_name} is being trained by a worker, or by a command that was killed less than "
                        "a minute ago. Follow it on its page, or try again in a minute."
                    )
        return training, unfinished

    def _training(self, wanted: trainings.Wanted, version: DatasetVersion, user: User | None) -> Training:
        known = Training.objects.filter(clinic=version.clinic, name=wanted.name).first()
        try:
            if known is None:
                return trainings.request(wanted, version, user)
        except Refused as refused:
            raise CommandError(f"{refused.field}: {refused}") from None
        if not trainings.same_request(known, wanted, version):
            raise CommandError(
                f"There is a training {wanted.name} with another dataset or other settings. Choose another --name."
            )
        if trainings.resume(known):
            self.say(f"{wanted.name} goes on from its checkpoint")
        return known

    def _train(self, run: TrainingRun, runs: list[TrainingRun], processes: int) -> None:
        row = run.job
        epochs = [0]

        def heard(progress: dict) -> None:
            if progress:
                trainings.note(run, progress)
                self._say_epochs(run, progress, epochs)
            jobs.progress(row, trainings.share(progress))
            for other in runs:
                if other.number > run.number and _holds(other.job):
                    jobs.progress(other.job, 0.0)

        try:
            training_process.train(
                run, heard=heard, should_stop=partial(trainings.is_stopped, run.training), processes=processes
            )
            store = trainings.keep_model(run)
        except KeyboardInterrupt:
            trainings.stop(run.training)
            self._give_up(runs)
            raise CommandError("Stopped. The same command goes on from the checkpoint.") from None
        except Exception as error:
            jobs.finish(row, error)
            self._give_up(runs)
            log = run.folder / training_process.LOG
            raise CommandError(f"{run.model_name}: {error} (see {log})") from error
        if not jobs.finish(row, store):
            raise CommandError(f"{run.model_name} was taken over by a worker; follow it on its page.")
        row.refresh_from_db()
        if row.state == Job.State.FAILED:
            raise CommandError(f"{run.model_name}: {row.error}")

    @staticmethod
    def _give_up(runs: list[TrainingRun]) -> None:
        """Let go of the jobs claimed here, so that they can be resumed."""
        for run in runs:
            if _holds(run.job):
                jobs.finish(run.job, jobs.JobError(trainings.STOPPED, "Stopped."))

    def _say_epochs(self, run: TrainingRun, progress: dict, said: list[int]) -> None:
        for entry in progress["curves"][said[0] :]:
            auc = "–" if entry["macro_auc"] is None else f"{entry['macro_auc']:.4f}"
            self.say(
                f"{run.model_name}: epoch {entry['epoch']} of {progress['epochs']}, loss {entry['loss']:.4f}, "
                f"validation loss {entry['validation_loss']:.4f}, macro AUC {auc} "
                f"({progress['photos_a_second']:.1f} photos/s)"
            )
        said[0] = len(progress["curves"])

    def _summary(self, training: Training) -> None:
        from statistics import mean, stdev

        versions = ModelVersion.objects.filter(training_runs__training=training).order_by(
            "training_runs__number"
        )
        aucs = []
        for version in versions:
            cohorts = version.manifest["validated_on"]["cohorts"]
            aucs += [cohort["auc"] for cohort in cohorts]
            facts = "".join(
                f", macro AUC {c['auc']:.4f} on {c['n']} photos of patients left out" for c in cohorts
            )
            minutes = version.manifest["training"]["minutes"]
            self.say(f"{version.name}: model version {version.pk}, {minutes:.1f} min{facts}")
        if len(aucs) > 1:
            self.say(f"macro AUC {mean(aucs):.4f} ± {stdev(aucs):.4f} (mean ± SD of {len(aucs)} runs)")


def _holds(row: Job) -> bool:
    """Whether this process has claimed the job."""
    return (
        row.lease_token is not None
        and Job.objects.filter(pk=row.pk, state=Job.State.RUNNING, lease_token=row.lease_token).exists()
    )


def _wanted(options: dict) -> trainings.Wanted:
    init = options["init"]
    if init not in (IMAGENET, RANDOM):
        path = Path(init).resolve()
        if not path.exists():
            raise CommandError(f"--init: there is no file {path}.")
        try:
            scanning.check_file(path)
        except scanning.Infected as refused:
            raise CommandError(refused.words) from refused
        except scanning.NotScanned as away:
            raise CommandError(str(away)) from away
        init = str(path)
    return trainings.Wanted(
        name=options["name"],
        architecture=options["arch"],
        init=init,
        runs=options["runs"],
        epochs=options["epochs"],
        batch=options["batch_size"],
        image_size=options["image_size"],
        seed=options["seed"],
        max_steps=options["max_steps"],
        frozen_blocks=options["freeze"],
    )
