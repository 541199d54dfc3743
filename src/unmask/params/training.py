"""`train`: how the models learn."""

from typing import Literal

from pydantic import Field

from unmask.core.section import Section


class Training(Section):
    """Settings of the training loop.

    epochs: the most there are; training ends earlier when validation has not improved.
    patience: epochs without improvement on validation after which training ends.
    batch_size: faces in a step.
    learning_rate: of Adam, in the first epoch.
    schedule: `constant`, or `cosine`, which lets the learning rate fall to zero over `epochs`
        along half a cosine (Loshchilov and Hutter 2017, without restarts).
    gradient_clip: the most that the norm of the gradient may be (Pascanu, Mikolov and Bengio 2013);
        null leaves it as it is.
    flip: probability that a face is mirrored.
    rotation: degrees by which a face is turned at most, either way.
    shift: pixels by which a face is shifted at most, along either axis.

    Flip, rotation and shift are drawn anew for each face and epoch.
    """

    epochs: int = Field(ge=1)
    patience: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    schedule: Literal["constant", "cosine"]
    gradient_clip: float | None = Field(gt=0)
    flip: float = Field(ge=0, le=1)
    rotation: float = Field(ge=0, le=180)
    shift: float = Field(ge=0, le=24)

    @property
    def augments(self) -> bool:
        """Say whether a face looks different from epoch to epoch."""
        return bool(self.flip or self.rotation or self.shift)


class Train(Section):
    """The whole section.

    seed: of initial weights, order, augmentation and dropout.
    precision: `float32`; `bf16` (autocast: weights stay float32); `auto` takes bf16 where the
        device has arithmetic for it.
    devices, nodes: processes on each machine, one for each device, and machines; they share every
        batch. On CPUs, a process is a device.
    launcher: the start of the command line of stages that train, read by dvc.yaml. `python` starts
        what is missing on one machine; several machines need `srun python`, torchrun or the like.
    classifier, reconstructor: settings for either kind; a reconstructor can override its own.
    """

    seed: int = Field(ge=0, lt=2**63)
    precision: Literal["float32", "bf16", "auto"]
    devices: int = Field(ge=1)
    nodes: int = Field(ge=1)
    launcher: str = Field(min_length=1)
    classifier: Training
    reconstructor: Training
