"""Runs: a method with its parameters, and the grid of runs of a scale."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any

from dcbook.experiments.records import digest, left_open, plain
from dcbook.experiments.watch import Watch

SPACES = {"h": "transform", "z": "project"}  # a learner's feature spaces, and the methods that return them
Seeds = Iterable[int] | None
SCALES = ("quick", "laptop", "paper")  # from seconds to the paper's own size
SWEPT = ("random_state", "n_clusters", "device", "start", "progress")


@dataclass(frozen=True)
class Method:
    """An estimator class, its parameters, and its start.

    Attributes
    ----------
    cls : callable
        Returns a scikit-learn estimator. The sweep sets ``random_state``, ``n_clusters``, ``device`` and ``start`` if
        the estimator has these parameters, and turns off ``progress``.
    params : mapping
        The other parameters: JSON values, or dataclasses of them.
    start : str, optional
        Name of the recipe or method whose fitted ``start_`` it starts from; None if it needs no start.
    watch : Watch, optional
        What is recorded in addition to scores (`dcbook.experiments.watch`); it does not change the model.
    """

    cls: Callable[..., Any]
    params: Mapping[str, Any] = field(default_factory=dict)
    start: str | None = None
    watch: Watch | None = None


@dataclass(frozen=True)
class Scale:
    """One scale of an experiment: data sets, seeds, and the settings of each method.

    Attributes
    ----------
    datasets : mapping
        Name of a data set to the sampling options for `dcbook.data.load` (empty for the whole set).
    seeds : tuple of int
    methods : mapping
        Name in the paper's table to `Method`.
    starts : mapping
        Name of a recipe that only serves as a start (such as "autoencoder") to its `Method`.
    features : mapping
        Name of a learner (such as "simclr") to the `Method`, SimCLR or MoCo, whose features replace the images: one run
        on its H space and one on its Z space. None: the images themselves.
    monitor_every : int
        Number of epochs between scores in the history; 0 for no scores.
    name : str
        Name of the scale in the records: "quick", "laptop", "paper", or another name.
    """

    datasets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    methods: Mapping[str, Method] = field(default_factory=dict)
    starts: Mapping[str, Method] = field(default_factory=dict)
    features: Mapping[str, Method] = field(default_factory=dict)
    monitor_every: int = 1
    name: str = "custom"

    def __post_init__(self):
        known = {**self.starts, **self.methods}
        for name in known:
            chain = [name]
            while (start := known[chain[-1]].start) is not None:
                if start not in known:
                    raise ValueError(f"{chain[-1]!r} starts from {start!r}, which is not one of {_listed(known)}")
                if start in chain:
                    raise ValueError(f"these start from each other: {' -> '.join([*chain, start])}")
                chain.append(start)


@dataclass(frozen=True, eq=False)
class Run:
    """One run; two runs are the same if their `identity` is.

    `sampling` holds the options for `dcbook.data.load`, `start` the run that this run starts from.
    """

    method: str
    cls: Callable[..., Any]
    dataset: str
    seed: int
    scale: str
    params: Mapping[str, Any] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)
    start: "Run | None" = None
    monitor_every: int = 0
    watch: Watch | None = None

    @property
    def identity(self) -> dict:
        """What identifies the run: the entry ``run`` of its record."""
        watched = {"watch": self.watch.name} if self.watch else {}
        return watched | {
            "method": self.method,
            "estimator": self.cls.__name__,
            "params": plain(self.params),
            "dataset": self.dataset,
            "sampling": plain(self.sampling),
            "seed": self.seed,
            "scale": self.scale,
            "start": self.start and self.start.identity,
        }

    def recipe(self, data_digest: str) -> dict:
        """Everything that determines the run's end state, as key of a shared start; not its name or scale."""
        model = self.cls(**self.params)
        return {
            "estimator": type(model).__name__,
            "params": settings_of(model) | self._own("n_clusters", "random_state"),
            "data": data_digest,
            "seed": self.seed,
            "start": self.start and self.start.recipe(data_digest),
        }

    def _own(self, *names: str) -> dict:
        """Parameters that this run sets although a sweep would set them."""
        return {name: plain(self.params[name]) for name in names if name in self.params}

    def __str__(self) -> str:
        return f"{self.method} on {self.dataset}, seed {self.seed}"


def runs(
    scale: Scale,
    methods: Iterable[str] | None = None,
    datasets: Iterable[str] | None = None,
    seeds: Seeds = None,
) -> list[Run]:
    """The grid of a scale: each method on each data set (or its features) with each seed; by default all of them.

    Raises
    ------
    ValueError
        For a name that the scale does not have (the message lists the known names) or a seed that is not an
        integer >= 0.
    TypeError
        If a scale's name is given instead of its settings.
    """
    if isinstance(scale, str):
        raise TypeError(f"runs needs the settings of a scale, a Scale such as TABLE1[{scale!r}], not its name")
    methods = [_one_of("method", m, scale.methods) for m in _several("methods", methods, scale.methods)]
    datasets = [
        _one_of(f"data set at scale {scale.name!r}", d, scale.datasets)
        for d in _several("datasets", datasets, scale.datasets)
    ]
    seeds = _several("seeds", seeds, scale.seeds)
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ValueError(f"a seed must be an integer >= 0, not {seed!r}")
    known = {**scale.starts, **scale.methods}

    def run(method: str, dataset: str, sampling: Mapping, seed: int) -> Run:
        how = known[method]
        start = run(how.start, dataset, sampling, seed) if how.start else None
        return Run(
            method, how.cls, dataset, seed, scale.name, how.params, sampling, start, scale.monitor_every, how.watch
        )

    def samplings(dataset: str) -> list[Mapping]:
        options = scale.datasets[dataset]
        names = [features_name(scale, dataset, learner) for learner in scale.features]
        return [{**options, "features": f"{f}-{space}.safetensors"} for f in names for space in SPACES] or [options]

    return [run(m, d, sampling, s) for d in datasets for sampling in samplings(d) for s in seeds for m in methods]


def grid(scales: Mapping[str, Scale]) -> Callable[..., list[Run]]:
    """A function that returns the `runs` for the name of a scale and, optionally, a selection of seeds.

    The function raises ValueError for an unknown name.
    """
    return lambda scale, seeds=None: runs(scales[_one_of("scale", scale, scales)], seeds=seeds)


def features_name(scale: Scale, dataset: str, learner: str) -> str:
    """The beginning of the file names of a learner's features: "laptop-1a2b3c4d/cifar10-simclr".

    The digits are a digest of the settings, so that features with other settings are not overwritten.
    """
    method = scale.features[learner]
    made_by = digest([method.cls.__name__, plain(method.params), plain(scale.datasets[dataset])])
    return f"{scale.name}-{made_by[:8]}/{dataset}-{learner}"


def settings_of(model: Any) -> dict:
    """All parameters of an estimator that affect its result, including defaults, except those that a sweep sets."""
    params = {name: value for name, value in model.get_params(deep=False).items() if name not in SWEPT}
    params |= left_open(model)
    recipe = getattr(model, "start", None)
    return plain(params | ({"start": recipe} if is_dataclass(recipe) and not hasattr(recipe, "digest") else {}))


def vary(runs: Iterable[Run], **values: Iterable[Any]) -> list[Run]:
    """Each run with each value of one parameter: ``vary(runs(scale, ["DCSS"]), alpha=[0.1, 1, 10])``."""
    ((name, choices),) = values.items()
    choices = list(choices)
    return [replace(run, params={**run.params, name: value}) for run in runs for value in choices]


def with_clusters(run: Run, n_clusters: int) -> Run:
    """The run with another number of clusters, also in the runs that it starts from."""
    params = {**run.params, "n_clusters": n_clusters}
    return replace(run, params=params, start=run.start and with_clusters(run.start, n_clusters))


def sampled(run: Run, **sampling: Any) -> Run:
    """The run on another sample of its data set, and so the runs it starts from: ``sampled(run, retention=0.1)``."""
    return replace(run, sampling={**run.sampling, **sampling}, start=run.start and sampled(run.start, **sampling))


def _several(what: str, given: Iterable | None, default: Iterable) -> list:
    if isinstance(given, str):
        raise ValueError(f"{what} must be a list, such as [{given!r}], not the string {given!r}")
    chosen = list(default if given is None else given)
    if not chosen:
        raise ValueError(f"{what} is empty; name at least one, or omit it for all")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"{what} has duplicates: {chosen}")
    return chosen


def _one_of(what: str, name: Any, valid: Mapping) -> Any:
    if name not in valid:
        raise ValueError(f"unknown {what} {name!r}: choose from {_listed(valid)}")
    return name


def _listed(names: Iterable) -> str:
    return ", ".join(map(repr, names))
