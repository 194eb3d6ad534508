"""``train_demo_model``: a model that is there in whole, or hours of training that are kept."""

import csv

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from classifier.management.commands import train_demo_model
from classifier.networks import network, weights
from classifier.training import demo
from tests import photo_bytes


@pytest.fixture
def photos(tmp_path):
    """Three drawings in a folder like PAD-UFES-20."""
    folder = tmp_path / "photos"
    (folder / "images").mkdir(parents=True)
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "patient_id", "diagnostic"])
        for seed, diagnostic in enumerate(("BCC", "NEV", "NEV")):
            (folder / "images" / f"{seed}.jpg").write_bytes(
                photo_bytes.encoded(photo_bytes.lesion(seed=seed), "JPEG")
            )
            table.writerow([f"{seed}.jpg", f"P{seed}", diagnostic])
    return folder


def test_what_was_trained_is_kept_until_the_whole_folder_of_the_model_is_there(photos, tmp_path, monkeypatch):
    trainings, out, parts = [], tmp_path / "model", tmp_path / "parts"

    def train(recipe, examples, net, *, scratch, **_):
        trainings.append(len(examples))
        (scratch / "training-0.pt").write_bytes(b"hours")
        return demo.Trained(net.state_dict(), None, np.full((1, 13), 1 / 13), np.array([0]))

    def command(name, **_):
        if name == "check_heatmaps" and len(trainings) == 1:
            raise CommandError("The disk is full.")

    monkeypatch.setattr(demo, "train", train)
    monkeypatch.setattr(network, "load_imagenet", lambda *_: None)
    monkeypatch.setattr(train_demo_model, "call_command", command)
    torch.save({}, tmp_path / "init.pth")

    def run():
        call_command(
            "train_demo_model", photos=photos, init=tmp_path / "init.pth", out=out, folds=0, parts=parts
        )

    with pytest.raises(CommandError, match="disk is full"):
        run()
    assert not out.exists()
    assert (parts / "training-0.pt").read_bytes() == b"hours"
    run()
    assert trainings == [3, 3]
    manifest = weights.check_files(out)
    assert manifest.training_photos["photos"] == 3
    assert not parts.exists(), "the model is there"
    with pytest.raises(CommandError, match="is there already"):
        run()
