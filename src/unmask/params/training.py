"""`train`: how the models learn."""

from typing import Literal

from pydantic import Field

from unmask.core.section import Section


class Training(Section):
    """Settings of the training loop.

    epochs: maximum number; training ends earlier if validation stops improving.
    patience: epochs without improvement on validation after which training ends.
    batch_size: faces in a step.
    learning_rate: of Adam, in the first epoch.
    schedule: `constant`, or `cosine`, which lowers the learning rate to zero over `epochs` along
        half a cosine (Loshchilov and Hutter 2017, without restarts).
    gradient_clip: maximum norm of the gradient (Pascanu, Mikolov and Bengio 2013); null leaves it
        as it is.
    flip: probability that a face is mirrored.
    rotation: maximum angle, in degrees, by which a face is turned either way.
    shift: maximum distance, in pixels, by which a face is shifted along either axis.

    Flip, rotation and shift are drawn afresh for each face and epoch.
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
        """Whether a face looks different from epoch to epoch."""
        return bool(self.flip or self.rotation or self.shift)


class Train(Section):
    """The whole section.

    seed: for initial weights, order, augmentation and dropout.
    precision: `float32`; `bf16` (autocast: weights stay float32); `auto` takes bf16 if the device
        has arithmetic for it.
    devices, nodes: processes on each machine, one for each device, and machines; they share every
        batch. On CPUs, a process counts as a device.
    launcher: the start of the command line of stages that train, read by dvc.yaml. `python` starts
        the missing processes on one machine; several machines need `srun python` or torchrun.
    classifier, reconstructor: settings for either kind; a reconstructor can override its own.
    """

    seed: int = Field(ge=0, lt=2**63)
    precision: Literal["float32", "bf16", "auto"]
    devices: int = Field(ge=1)
    nodes: int = Field(ge=1)
    launcher: str = Field(min_length=1)
    classifier: Training
    reconstructor: Training
