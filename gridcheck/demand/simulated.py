r"""Profiles of classes from simulated homes: the mean of a crowd, and how far few homes may lie above it.

Of each class a few thousand homes are simulated in the weather of the study. With :math:`p_i` the power of home i and
:math:`R_i` its rated input,

.. math:: m(t) = \frac{\sum_i p_i(t)}{\sum_i R_i}, \qquad
   \sigma^2(t) = \frac{1}{n \bar R^2} \sum_i \left(p_i(t) - m(t) R_i\right)^2

and N homes of the class draw more than :math:`N \bar R\,(m + z \sigma / \sqrt N)` with the probability that belongs to
z: the law of large numbers instead of a factor of coincidence. It rises towards saturation in a long cold because the
homes do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import Float32Array, FloatArray, IntArray
from gridcheck.catalogue import DEVICE_CLASSES, Device
from gridcheck.demand.households import Homes, draw_homes, heated_zones, simulate, simulate_base
from gridcheck.demand.models import homes_of_model, parameters_of_model, write_model
from gridcheck.demand.parameters import DemandParameters
from gridcheck.demand.weather import Weather

SIMULATED_HOMES = 3000
"""Homes of each class: the mean of a class is then known to one or two percent of a home's spread."""

# Homes that are followed at once: their courses are held in memory, home by home.
_AT_ONCE = 500


def simulated_pairs(
    weather: Weather, parameters: DemandParameters, *, seed: int, n_home: int = SIMULATED_HOMES, threads: int | None = 1
) -> tuple[FloatArray, FloatArray]:
    """Simulate homes of every class and return their mean and what one home draws.

    Parameters
    ----------
    weather : Weather
        Weather with its days before the window.
    parameters : DemandParameters
        Parameters of the model.
    seed : int
        Seed of the homes: two studies of one seed have the same homes.
    n_home : int
        Homes of each class.
    threads : int, optional
        Threads; as many as the machine has if None.

    Returns
    -------
    mean, single : ndarray, shape (n_step, 1 + n_device)
        Of base load per home lived in, of heaters per rated input: the classes, then the models of `parameters`.
        [kW], [1]
    """
    n_step = len(weather.time_utc[weather.study])
    z = parameters.house["design_quantile_sigma"]
    mean, single = (np.empty((n_step, len(parameters.classes))) for _ in range(2))
    for column in range(len(parameters.classes)):
        moments, ceiling_kw = _Moments(n_step), 0.0
        for some in simulated_class(column, weather, parameters, seed=seed, n_home=n_home, threads=threads):
            moments.add(some.power_kw, some.rated_kw)
            ceiling_kw += some.nameplate_kw
        mean[:, column], deviation = moments.result()
        # No home draws more than its nameplate says.
        ceiling = np.maximum(ceiling_kw / moments.rated_kw, mean[:, column])
        single[:, column] = np.minimum(mean[:, column] + z * deviation, ceiling)
    return mean, single


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedHomes:
    """Some homes of one class, followed one by one.

    Attributes
    ----------
    power_kw : ndarray of float32, shape (n_home, n_step)
        What each draws in each step of the study window. [kW]
    rated_kw : ndarray, shape (n_home,)
        Rated input of each; 1 for base load. [kW]
    nameplate_kw : float
        What all of them may draw together; infinite for base load. [kW]
    """

    power_kw: Float32Array
    rated_kw: FloatArray
    nameplate_kw: float


def simulated_class(
    column: int,
    weather: Weather,
    parameters: DemandParameters,
    *,
    seed: int,
    n_home: int,
    threads: int | None = 1,
) -> Iterator[SimulatedHomes]:
    """Yield the homes of one class of `simulated_pairs`, some at a time.

    Parameters
    ----------
    column : int
        Position of the class in ``parameters.classes``.
    weather, parameters, seed, n_home, threads
        As in `simulated_pairs`.
    """
    if column == 0:
        for home in _slices(0, n_home):
            n, group = len(home), np.arange(len(home))
            power, _ = simulate_base(home, weather, parameters, seed=seed, group=group, n_group=n)
            yield SimulatedHomes(power_kw=power, rated_kw=np.ones(n), nameplate_kw=np.inf)
        return
    model = (*(None for _ in DEVICE_CLASSES), *parameters.models)[column - 1]
    position = column - 1 if model is None else DEVICE_CLASSES.index(model.device)
    chosen = parameters if model is None else parameters_of_model(model, parameters)
    for home in _slices((1 + position) * n_home, n_home):
        homes = (
            draw_homes(home, np.full(len(home), position), seed=seed)
            if model is None
            else homes_of_model(home, model, seed=seed)
        )
        yield SimulatedHomes(
            power_kw=_powers(homes, weather, chosen, model, seed=seed, threads=threads),
            rated_kw=homes.rated_kw,
            nameplate_kw=_nameplate_kw(homes, chosen),
        )


def mean_power_kw(device: int, weather: Weather, parameters: DemandParameters, *, seed: int, n_home: int) -> FloatArray:
    """Return the mean power of a simulated home of one class in each step of the study window, shape (n_step,). [kW]

    Parameters
    ----------
    device : int
        Position of the class in ``DEVICE_CLASSES``.
    weather, parameters, seed
        As in `simulated_pairs`.
    n_home : int
        Homes.
    """
    homes = draw_homes(np.arange(n_home), np.full(n_home, device), seed=seed)
    zones = heated_zones(
        homes, parameters, seed=seed, step_s=weather.step_h * 3600.0, group=np.zeros(n_home, dtype=np.int64)
    )
    power_kw = simulate(zones, weather, parameters, n_group=1, threads=1).power_kw[0]
    return np.asarray(power_kw / n_home, dtype=np.float64)


class _Moments:
    """Sums over homes from which mean and spread follow."""

    def __init__(self, n_step: int) -> None:
        self._power, self._square, self._cross = (np.zeros(n_step) for _ in range(3))
        self.rated_kw, self._rated_square, self._count = 0.0, 0.0, 0

    def add(self, power_kw: Float32Array, rated_kw: FloatArray) -> None:
        """Add homes, power of shape (n_home, n_step)."""
        power = power_kw.astype(np.float64)
        self._power += power.sum(axis=0)
        self._square += (power**2).sum(axis=0)
        self._cross += rated_kw @ power
        self.rated_kw += float(rated_kw.sum())
        self._rated_square += float(rated_kw @ rated_kw)
        self._count += len(rated_kw)

    def result(self) -> tuple[FloatArray, FloatArray]:
        """Return m and sigma, each of shape (n_step,)."""
        mean = self._power / self.rated_kw
        square = self._square - 2.0 * mean * self._cross + mean**2 * self._rated_square
        rated = self.rated_kw / self._count
        return mean, np.sqrt(np.maximum(square, 0.0) / self._count) / rated


def _slices(first: int, n: int) -> list[IntArray]:
    return [np.arange(first + begin, first + min(begin + _AT_ONCE, n)) for begin in range(0, n, _AT_ONCE)]


def _powers(
    homes: Homes,
    weather: Weather,
    parameters: DemandParameters,
    model: Device | None,
    *,
    seed: int,
    threads: int | None,
) -> Float32Array:
    zones = heated_zones(homes, parameters, seed=seed, step_s=weather.step_h * 3600.0)
    if model is not None:
        write_model(zones, homes, model)
    return simulate(zones, weather, parameters, n_group=homes.n_home, threads=threads).power_kw


def _nameplate_kw(homes: Homes, parameters: DemandParameters) -> float:
    backup = np.array([device.backup_ratio * device.rated_kw for device in parameters.devices])[homes.device]
    return float((homes.max_input_kw + backup).sum())
