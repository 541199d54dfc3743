"""The Keras side of benchmarks/training.py, for an environment with TensorFlow and without unmask.

    python benchmarks/training_keras.py FOLDER SEED

The layers are those of src/unmask/classifiers/paper_cnn.py; training follows Keras's tutorials.
"""

import json
import math
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from clock import Clock
from keras import layers


def main(folder: str, seed: str) -> None:
    """Train and print images per second and the validation accuracy of the best epoch."""
    keras.utils.set_random_seed(int(seed))
    job = json.loads((Path(folder) / "job.json").read_text())
    settings, classifier = job["train"]["classifier"], job["classifiers"]["paper_cnn"]
    images, labels, split = (
        np.load(Path(folder) / f"{name}.npy") for name in ("images", "labels", "split")
    )
    images = images[..., np.newaxis].astype(np.float32)

    body = []
    for filters in classifier["filters"]:
        body += [
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(classifier["dropout"]),
        ]
    model = keras.Sequential(
        [
            keras.Input(images.shape[1:]),
            layers.RandomFlip("horizontal"),
            layers.Rescaling(4 / 255, offset=-2),  # (pixel / 255 - 0.5) / 0.25
            *body,
            layers.Flatten(),
            layers.Dense(classifier["hidden"], activation="relu"),
            layers.Dropout(classifier["dense_dropout"]),
            layers.Dense(7),
        ]
    )
    model.compile(
        keras.optimizers.Adam(settings["learning_rate"]),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    clock = Clock()
    history = model.fit(
        images[split == 0],
        labels[split == 0],
        batch_size=settings["batch_size"],
        epochs=settings["epochs"],
        validation_data=(images[split == 1], labels[split == 1]),
        callbacks=[
            keras.callbacks.LearningRateScheduler(
                lambda epoch, rate: (
                    settings["learning_rate"]
                    * (1 + math.cos(math.pi * epoch / settings["epochs"]))
                    / 2
                )
            ),
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: clock(epoch)),
        ],
        verbose=0,
    )
    best = max(history.history["val_accuracy"])
    print(json.dumps(clock.rates(int((split == 0).sum())) | {"accuracy": best}))


if __name__ == "__main__":
    main(*sys.argv[1:])
