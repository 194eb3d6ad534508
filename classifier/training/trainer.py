"""A training that can be killed at any moment and ends with the same weights.

All that is random in a step follows from the seed and the step's number, so a checkpoint holds the weights, the
optimizer and what was measured, and nothing else is needed to go on.
"""

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from classifier.networks.network import MappedClassifier
from classifier.training import checkpoint, parts, steps
from classifier.training.crossval import one_vs_rest
from classifier.training.errors import TrainingRefused, TrainingStopped
from classifier.training.photos import DROP, MIX, ORDER, VIEW, Key, Views, loader
from classifier.training.plan import Plan, Sample, fingerprint
from classifier.training.world import World
from skinclinic.vocabulary.diseases import DISEASE_KEYS

CHECKPOINT_EVERY_SECONDS = 600


@dataclass
class Progress:
    """How far a training is. ``curves``: an entry for each epoch (see ``Trainer._measure``)."""

    step: int = 0
    steps: int = 0
    epochs: int = 0
    seconds: float = 0.0
    photos_a_second: float = 0.0
    losses: list[float] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    resumed: int = 0


class Trainer:
    """Trains ``network`` on the samples that do not validate; ``report`` hears after every step."""

    def __init__(
        self,
        network: MappedClassifier,
        samples: Sequence[Sample],
        validates: np.ndarray,
        plan: Plan,
        world: World,
        folder: Path,
        *,
        report: Callable[[Progress], None] = lambda progress: None,
        should_stop: Callable[[], bool] = lambda: False,
    ):
        self.plan, self.world, self.folder = plan, world, folder
        self.report, self.should_stop = report, should_stop
        self.views = Views(samples, plan.preprocessing)
        self.train_numbers = np.flatnonzero(~validates)
        self.validation_numbers = np.flatnonzero(validates)
        self.labels = np.array([sample.label for sample in samples])
        self.weights = steps.label_weights(self.labels[self.train_numbers], plan.settings.balance)
        self.steps_an_epoch = max(1, len(self.train_numbers) // plan.settings.batch)
        total = self.steps_an_epoch * plan.settings.epochs
        total = min(total, plan.max_steps) if plan.max_steps else total
        self.progress = Progress(steps=total, epochs=-(-total // self.steps_an_epoch))
        self.identity = fingerprint(plan, samples)

        network = network.to(world.device, memory_format=torch.channels_last)
        self.held = parts.hold_back(network, plan.frozen_blocks)
        self.network, self.averaged = network, copy.deepcopy(network)
        self.trained = world.wrap(network, learns_normalisation=not plan.keeps_normalisation)
        body = [p for p in network.backbone.parameters() if p.requires_grad]
        self.optimizer = steps.optimizer_of(body, network.head, network.bias, plan.settings)
        self.scaler = torch.amp.GradScaler(enabled=world.half is torch.float16)

    def run(self) -> dict[str, Tensor]:
        """Train to the end, from the last checkpoint if there is one; return the averaged weights.

        Raises TrainingStopped, after writing a checkpoint, when asked to stop.
        """
        self._go_on()
        self._started = self._saved = time.monotonic()
        self._seconds_before, self._first_step = self.progress.seconds, self.progress.step
        batches = loader(self.views, self._batches(), self.world.loaders())
        self._to_training()
        for images, labels in batches:
            self._step(images, labels)
            if self.progress.step % self.steps_an_epoch == 0 or self.progress.step == self.progress.steps:
                self._measure()
                self._save()
            self._tick()
        return {name: value.detach().cpu() for name, value in self.averaged.state_dict().items()}

    def _go_on(self) -> None:
        found = checkpoint.load(self.folder)
        if found is None:
            return
        if found["identity"] != self.identity:
            raise TrainingRefused(
                "other_checkpoint",
                "The checkpoint in this folder belongs to a training with other photos or settings.",
            )
        self.network.load_state_dict(found["network"])
        self.averaged.load_state_dict(found["averaged"])
        self.optimizer.load_state_dict(found["optimizer"])
        self.scaler.load_state_dict(found["scaler"])
        self.progress = Progress(**found["progress"])
        self.progress.resumed += 1

    def _save(self) -> None:
        self.progress.seconds = self._seconds()
        if self.world.is_first:
            checkpoint.save(
                self.folder,
                {
                    "identity": self.identity,
                    "network": self.network.state_dict(),
                    "averaged": self.averaged.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "scaler": self.scaler.state_dict(),
                    "progress": dict(vars(self.progress)),
                },
            )
        self._saved = time.monotonic()
        self.world.wait()

    def _tick(self) -> None:
        """Report; stop or save where it is time, in all processes at the same step."""
        progress = self.progress
        progress.seconds = self._seconds()
        seconds = max(time.monotonic() - self._started, 1e-9)
        progress.photos_a_second = (progress.step - self._first_step) * self.plan.settings.batch / seconds
        if self.world.is_first:
            self.report(progress)
        if self.world.size > 1 and progress.step % 8:
            return
        overdue = time.monotonic() - self._saved > CHECKPOINT_EVERY_SECONDS
        stop = self.world.any(self.should_stop()) and progress.step < progress.steps
        if stop or self.world.any(overdue):
            self._save()
        if stop:
            raise TrainingStopped

    def _seconds(self) -> float:
        return self._seconds_before + time.monotonic() - self._started

    def _batches(self) -> Iterator[list[Key]]:
        """This process's part of every batch still to come."""
        seed, batch = self.plan.seed, self.plan.settings.batch
        mine = self.world.share(batch)
        order, epoch_of_order = self.train_numbers[:0], -1
        for step in range(self.progress.step, self.progress.steps):
            epoch, place = divmod(step, self.steps_an_epoch)
            if epoch != epoch_of_order:
                rng = np.random.default_rng((seed, ORDER, epoch))
                drawn = steps.even_sample(self.weights, self.steps_an_epoch * batch, rng)
                order, epoch_of_order = self.train_numbers[drawn].reshape(-1, batch), epoch
            keys: list[Key] = [(int(number), (seed, VIEW, step, n)) for n, number in enumerate(order[place])]
            yield keys[mine]

    def _step(self, images: Tensor, labels: Tensor) -> None:
        plan, world, step = self.plan, self.world, self.progress.step
        drop = np.random.SeedSequence((plan.seed, DROP, step, world.rank)).generate_state(1)
        torch.manual_seed(int(drop[0]))
        rng = np.random.default_rng((plan.seed, MIX, step, world.rank))
        images, targets = steps.mix(
            self._placed(images), labels.to(world.device), plan.outputs, plan.settings, rng
        )
        steps.set_rate(self.optimizer, step / self.progress.steps)
        self.optimizer.zero_grad(set_to_none=True)
        with self._precision():
            logits, _maps = self.trained(images)
        loss = functional.cross_entropy(
            logits.float(), targets, label_smoothing=plan.settings.label_smoothing
        )
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_(self.network.parameters(), steps.LARGEST_GRADIENT)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        steps.follow(self.averaged, self.network, steps.keep_share(plan.settings.average, step))
        if not plan.keeps_normalisation:
            for slow, fast in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
                slow.copy_(fast)
        self.progress.losses.append(float(loss.detach()))
        self.progress.step += 1

    def _measure(self) -> None:
        """Note the epoch's losses and, on the patients left out, the macro AUC of the averaged weights."""
        progress = self.progress
        loss, scores = self._validate()
        labels = self.labels[self.validation_numbers]
        aucs = diseases_aucs(scores, labels)
        losses = np.concatenate(self.world.gather(np.array(progress.losses)))
        progress.curves.append(
            {
                "epoch": -(-progress.step // self.steps_an_epoch),
                "step": progress.step,
                "loss": float(losses.mean()),
                "validation_loss": loss,
                "macro_auc": float(np.mean(list(aucs.values()))) if aucs else None,
                "auc": {DISEASE_KEYS[label]: value for label, value in aucs.items()},
            }
        )
        progress.losses = []
        self._to_training()

    def _validate(self) -> tuple[float, np.ndarray]:
        """(mean cross-entropy, softmax scores [n, outputs]) of the averaged weights on the validation photos."""
        count, batch = len(self.validation_numbers), self.plan.settings.batch
        mine = self.validation_numbers[self.world.rank :: self.world.size]
        keys: list[Key] = [(int(number), ()) for number in mine]
        batches = [keys[i : i + batch] for i in range(0, len(keys), batch)]
        self.averaged.eval()
        logits = [torch.zeros(0, self.plan.outputs)]
        with torch.inference_mode():
            for images, _labels in loader(self.views, batches, self.world.loaders()):
                with self._precision():
                    logits.append(self.averaged(self._placed(images))[0].float().cpu())
        whole = torch.from_numpy(self.world.interleave(torch.cat(logits).numpy(), count)).double()
        labels = torch.from_numpy(self.labels[self.validation_numbers]).long()
        return float(functional.cross_entropy(whole, labels)), whole.softmax(1).numpy()

    def _placed(self, images: Tensor) -> Tensor:
        return images.to(self.world.device, non_blocking=True, memory_format=torch.channels_last)

    def _precision(self) -> torch.autocast:
        half = self.world.half
        return torch.autocast(self.world.device.type, half or torch.bfloat16, enabled=half is not None)

    def _to_training(self) -> None:
        keeps = self.plan.keeps_normalisation
        parts.to_training(self.trained, self.held, keeps_normalisation=keeps)


def diseases_aucs(scores: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    """One-vs-rest AUC of each of the 12 diseases that occurs; {} where there is nothing to tell apart."""
    if len(np.unique(labels)) < 2:
        return {}
    return {label: auc for label, auc in one_vs_rest(scores, labels).items() if label < len(DISEASE_KEYS)}
