"""What can be run: a method with its parameters, and the grid of runs that a scale stands for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any

from dcbook.experiments.records import digest, left_open, plain
from dcbook.experiments.watch import Watch

SPACES = {"h": "transform", "z": "project"}  # of a learner, and the method that gives it
Seeds = Iterable[int] | None
SCALES = ("quick", "laptop", "paper")  # from seconds to the paper's own size
SWEPT = ("random_state", "n_clusters", "device", "start", "progress")


@dataclass(frozen=True)
class Method:
    """An estimator class, its parameters, and what it starts from.

    Attributes
    ----------
    cls : callable
        Gives a scikit-learn estimator; the sweep sets its ``random_state``, ``n_clusters``, ``device`` and
        ``start`` where it has parameters of these names, and turns off its ``progress``.
    params : mapping
        The other parameters: what JSON can hold, or dataclasses of that.
    start : str, optional
        Name of the recipe or method whose fitted ``start_`` it goes on from; None if it needs no start.
    watch : Watch, optional
        What the record keeps beside scores (`dcbook.experiments.watch`); it changes no model.
    """

    cls: Callable[..., Any]
    params: Mapping[str, Any] = field(default_factory=dict)
    start: str | None = None
    watch: Watch | None = None


@dataclass(frozen=True)
class Scale:
    """One scale of the whole: data sets, seeds, and each method as it is run there.

    Attributes
    ----------
    datasets : mapping
        Name of a data set to the sampling options given to `dcbook.data.load` (empty: all of it).
    seeds : tuple of int
    methods : mapping
        Name in the paper's table to `Method`.
    starts : mapping
        Recipes that are only started from (such as "autoencoder"), to `Method`.
    features : mapping
        Name of a learner (such as "simclr") to the `Method`, SimCLR or MoCo, whose features take the place of the
        images: a run on its H space and one on its Z space. None: the images as they are.
    monitor_every : int
        Epochs between two scores in the history; 0 for none.
    name : str
        What the records call it: "quick", "laptop", "paper", or a name of your own.
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
                    raise ValueError(f"{chain[-1]!r} starts from {start!r}, which is none of {_listed(known)}")
                if start in chain:
                    raise ValueError(f"these start from each other: {' -> '.join([*chain, start])}")
                chain.append(start)


@dataclass(frozen=True, eq=False)
class Run:
    """One run; two runs are the same if their `identity` is.

    `sampling` holds the options given to `dcbook.data.load`, `start` the run that this one goes on from.
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
        """What makes it this run: the entry ``run`` of its record."""
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
        """What its end state depends on, the key of a shared start: neither its name nor the scale."""
        model = self.cls(**self.params)
        return {
            "estimator": type(model).__name__,
            "params": settings_of(model) | self._own("n_clusters"),
            "data": data_digest,
            "seed": self.seed,
            "start": self.start and self.start.recipe(data_digest),
        }

    def _own(self, *names: str) -> dict:
        """Parameters that a sweep would set and that this run sets itself."""
        return {name: plain(self.params[name]) for name in names if name in self.params}

    def __str__(self) -> str:
        return f"{self.method} on {self.dataset}, seed {self.seed}"


def runs(
    scale: Scale,
    methods: Iterable[str] | None = None,
    datasets: Iterable[str] | None = None,
    seeds: Seeds = None,
) -> list[Run]:
    """The grid of a scale: each method on each data set (or its features) with each seed; not given is all there is.

    Raises
    ------
    ValueError
        For a name that the scale does not have (the message lists what there is) or a seed that is no
        integer >= 0.
    TypeError
        For the name of a scale in place of its settings.
    """
    if isinstance(scale, str):
        raise TypeError(f"runs takes the settings of a scale, a Scale such as TABLE1[{scale!r}], not its name")
    methods = [_one_of("method", m, scale.methods) for m in _several("methods", methods, scale.methods)]
    datasets = [
        _one_of(f"data set at scale {scale.name!r}", d, scale.datasets)
        for d in _several("datasets", datasets, scale.datasets)
    ]
    seeds = _several("seeds", seeds, scale.seeds)
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ValueError(f"a seed is an integer >= 0, not {seed!r}")
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
    """The `runs` of settings as a function of the scale's name and, if not all are wanted, of the seeds.

    The function raises ValueError for a name that is not among them.
    """
    return lambda scale, seeds=None: runs(scales[_one_of("scale", scale, scales)], seeds=seeds)


def features_name(scale: Scale, dataset: str, learner: str) -> str:
    """What the files of a learner's features begin with: "laptop-1a2b3c4d/cifar10-simclr".

    The digits stand for the settings, so that features made by others are left alone.
    """
    method = scale.features[learner]
    made_by = digest([method.cls.__name__, plain(method.params), plain(scale.datasets[dataset])])
    return f"{scale.name}-{made_by[:8]}/{dataset}-{learner}"


def settings_of(model: Any) -> dict:
    """All parameters that decide what an estimator does, defaults too, but for those that a sweep sets."""
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
    """The run with another number of clusters, from its pretraining on."""
    params = {**run.params, "n_clusters": n_clusters}
    return replace(run, params=params, start=run.start and with_clusters(run.start, n_clusters))


def sampled(run: Run, **sampling: Any) -> Run:
    """The run on another sample of its data set, from its pretraining on: ``sampled(run, retention=0.1)``."""
    return replace(run, sampling={**run.sampling, **sampling}, start=run.start and sampled(run.start, **sampling))


def _several(what: str, given: Iterable | None, default: Iterable) -> list:
    if isinstance(given, str):
        raise ValueError(f"{what} is a list, such as [{given!r}], not the string {given!r}")
    chosen = list(default if given is None else given)
    if not chosen:
        raise ValueError(f"{what} is empty: name at least one, or leave it out for all")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"{what} names something twice: {chosen}")
    return chosen


def _one_of(what: str, name: Any, valid: Mapping) -> Any:
    if name not in valid:
        raise ValueError(f"unknown {what} {name!r}: choose from {_listed(valid)}")
    return name


def _listed(names: Iterable) -> str:
    return ", ".join(map(repr, names))
