"""What is trained, how it learns and how it is judged.

`train`, `classifiers`, `classifier`, `reconstructors`, `recon` and `evaluate`. What is particular
to one model is typed in the model's own file.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from unmask.core.errors import UserError
from unmask.core.section import FILE, Section, Seed, check, load, read

NOBODY = "none"
"""The teacher of what learns from faces and labels alone."""

DISTILLATION = "distillation"
"""The objective that needs a teacher."""

OF_CLASSIFIERS = ("cross_entropy", DISTILLATION)
"""Objectives that a classifier learns from; all others are for reconstructors."""

FEWEST = 2
"""Faces that each process has of a batch: from one alone, batch normalisation learns nothing."""

_ADDED = ("counts", "teachers", "view")


class Training(Section):
    """Settings of the training loop. Those with a default change nothing unless they are set.

    epochs: maximum number; training ends earlier if validation stops improving.
    patience: epochs without improvement on validation after which training ends.
    batch_size: faces in a step, `FEWEST` or more for each process.
    optimiser: `adam` (Kingma and Ba 2015); `adamw`, whose weight decay is not part of the gradient
        (Loshchilov and Hutter 2019); `sgd`, with Nesterov's momentum of 0.9 (Sutskever et al.
        2013).
    learning_rate: of the optimiser, before `schedule` and `warmup` lower it.
    schedule: `constant`, or `cosine`, which lowers the learning rate to zero over `epochs` along
        half a cosine, epoch by epoch (Loshchilov and Hutter 2017, without restarts).
    warmup: epochs in which the learning rate rises from zero step by step (Goyal et al. 2017,
        section 2.2).
    weight_decay: of weights, and not of biases and norms (He et al. 2019, "Bag of tricks", section
        3.1).
    gradient_clip: maximum norm of the gradient (Pascanu, Mikolov and Bengio 2013); null leaves it
        as it is.
    average: decay, by steps, of an average of the weights (Polyak and Juditsky 1992; Tarvainen and
        Valpola 2017), which is then what validation judges and what is saved; 0 averages nothing.
        Until it has seen 1 / (1 - average) steps, it is their mean.
    flip: probability that a face is mirrored.
    rotation: maximum angle, in degrees, by which a face is turned either way.
    shift: maximum distance, in pixels, by which a face is shifted along either axis.
    scale: maximum share by which a face is enlarged or made smaller.
    brightness, contrast: maximum share by which either is raised or lowered (Howard 2013).
    erasing: probability that a rectangle of a face, 2 to 40 % of it, gets one grey value (Zhong et
        al. 2020, "Random erasing", who fill it with noise).
    mixup: parameter of the beta distribution from which shares are drawn, in which each face and
        its label are mixed with another one (Zhang et al. 2018); 0 mixes nothing.
    label_smoothing: share of a label that is spread over all classes (Szegedy et al. 2016, section
        7); the loss on validation is of the labels as they are.

    What happens to a face is drawn afresh for each face and epoch.
    """

    epochs: int = Field(ge=1)
    patience: int = Field(ge=1)
    batch_size: int = Field(ge=FEWEST)
    optimiser: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: float = Field(gt=0)
    schedule: Literal["constant", "cosine"]
    warmup: float = Field(default=0.0, ge=0)
    weight_decay: float = Field(default=0.0, ge=0)
    gradient_clip: float | None = Field(gt=0)
    average: float = Field(default=0.0, ge=0, lt=1)
    flip: float = Field(ge=0, le=1)
    rotation: float = Field(ge=0, le=180)
    shift: float = Field(ge=0, le=24)
    scale: float = Field(default=0.0, ge=0, lt=1)
    brightness: float = Field(default=0.0, ge=0, lt=1)
    contrast: float = Field(default=0.0, ge=0, lt=1)
    erasing: float = Field(default=0.0, ge=0, le=1)
    mixup: float = Field(default=0.0, ge=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)

    @field_validator("warmup")
    @classmethod
    def _ends_before_training_does(cls, value: float, others: ValidationInfo) -> float:
        epochs = others.data.get("epochs")
        if epochs is not None and value > epochs:
            raise ValueError(f"{value}, but there are {epochs} epochs; set it to {epochs} or less")
        return value

    def overridden(self, entry: Mapping[str, Any], key: str) -> Self:
        """Return these settings with those of an `entry`, whose key is named in errors."""
        return check(type(self), {**self.model_dump(), **entry}, f"{key}.train")

    @property
    def moves(self) -> bool:
        """Whether a face changes its place, its angle or its size."""
        return bool(self.rotation or self.shift or self.scale)

    @property
    def tones(self) -> bool:
        """Whether the grey values of a face change."""
        return bool(self.brightness or self.contrast)

    @property
    def augments(self) -> bool:
        """Whether a face looks different from epoch to epoch."""
        return bool(self.flip or self.moves or self.tones or self.erasing or self.mixup)


class ReconstructorTraining(Training):
    """The same for a reconstructor, whose target is a part of the face itself."""

    @field_validator("erasing", "mixup", "label_smoothing")
    @classmethod
    def _only_for_classifiers(cls, value: float) -> float:
        if value:
            raise ValueError(f"{value}, but only classifiers use it; set it to 0")
        return value


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

    seed: Seed
    precision: Literal["float32", "bf16", "auto"]
    devices: int = Field(ge=1, le=1000)
    nodes: int = Field(ge=1, le=1_000_000)
    launcher: str = Field(min_length=1)
    classifier: Training
    reconstructor: ReconstructorTraining


class Entry(BaseModel):
    """A part of the file whose own settings are typed elsewhere, by the file that they are for."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that are typed elsewhere."""
        return dict(self.model_extra or {})


class Named(Entry):
    """The name of a part, with its settings beside it."""

    name: str


class ObjectiveEntry(Named):
    """What a model learns from: a file of `objectives/` and its settings."""

    @model_validator(mode="after")
    def _leaves_to_the_stage_what_it_adds(self) -> Self:
        for key in _ADDED:
            if key in self.settings:
                raise ValueError(f"{key}: the stage that trains sets this itself; remove this key")
        return self


class Recon(Section):
    """The reconstructor that is looked at most closely.

    model: the reconstructor of the headline and the laboratory.
    folds: number of reconstructors in the laboratory that each leave out a part of the training
        faces.
    teacher: the reader, one of `readers` that sees `faces` and has folds, by which reconstructors
        learn what matters for expression, if their objective asks for it; or `none`.
    """

    model: str
    folds: int = Field(ge=2, le=100)
    teacher: str


class Reconstructor(Entry):
    """An entry of `reconstructors`, its own settings aside.

    objective: what it learns from, a file of `objectives/` and its settings.
    train: settings of `train.reconstructor` that this reconstructor overrides.
    """

    objective: ObjectiveEntry
    train: dict[str, Any] = Field(default_factory=dict)

    @field_validator("objective")
    @classmethod
    def _is_for_reconstructors(cls, objective: ObjectiveEntry) -> ObjectiveEntry:
        if objective.name in OF_CLASSIFIERS:
            raise ValueError(f"{objective.name}: only classifiers learn so; take supervised, "
                             "adversarial, flow_matching or closed_form")  # fmt: skip
        return objective


def read_classifier() -> Named:
    """Return the entry of `classifiers` that the key `classifier` names.

    Raises UserError as `read` does, and if there is no such entry.
    """
    entries, name = load().get("classifiers"), load().get("classifier")
    if not isinstance(entries, dict) or not isinstance(name, str) or name not in entries:
        allowed = ", ".join(map(str, entries)) if isinstance(entries, dict) else "none"
        raise UserError(f"{FILE}: classifier: {name} has no entry under classifiers; choose one of "
                        f"{allowed}")  # fmt: skip
    settings = read(Entry, f"classifiers.{name}").settings
    return Named.model_validate({**settings, "name": name})


def classifier_settings() -> dict[str, Any]:
    """Return what all classifiers of the pipeline have in common: what they are, learn, and judge.

    Results of a side pipeline name its checksum, so that they are not shown beside others.
    """
    return {
        "classifier": read_classifier().model_dump(),
        "train": read(Train, "train").classifier.model_dump(),
        "augment": read(Evaluate, "evaluate").augment,
    }


def reconstructor_names() -> list[str]:
    """Return the names of all entries under `reconstructors` in the order of the file."""
    entries = load().get("reconstructors")
    return list(entries) if isinstance(entries, dict) else []


def _differ(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"{seeds}: a seed is repeated; list each seed once")
    return seeds


Seeds = Annotated[list[Seed], AfterValidator(_differ)]


class Evaluate(Section):
    """How classifiers are judged.

    seeds: for initial weights, order, augmentation and dropout of classifiers; two or more.
    augment: whether probabilities are averaged over versions of a face, mirrored and shifted by one
        pixel; see `models.inference.AugmentedJudge`. The laboratory looks at each face once.
    """

    seeds: Seeds = Field(min_length=2)
    augment: bool = False
