"""Mixed-integer programmes, solved by HiGHS to a proved optimum.

HiGHS is taken through its own binding: the copy inside scipy prints to standard output whatever it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
from scipy import sparse

from gridcheck.arrays import BoolArray, FloatArray

INFINITY = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Programme:
    """A linear objective within linear constraints.

    Attributes
    ----------
    objective : ndarray, shape (n_column,)
        Worth of one unit of each column.
    matrix : csr_array, shape (n_row, n_column)
        Rows of the constraints.
    row_lower, row_upper : ndarray, shape (n_row,)
        Their bounds; infinite where there is none.
    lower, upper : ndarray, shape (n_column,)
        Bounds of the columns.
    integral : ndarray of bool, shape (n_column,)
        Columns that are whole numbers.
    """

    objective: FloatArray
    matrix: sparse.csr_array
    row_lower: FloatArray
    row_upper: FloatArray
    lower: FloatArray
    upper: FloatArray
    integral: BoolArray


Term = tuple[int, float]
"""A column and its factor."""


class Draft:
    """A programme that is being written: columns and rows are added, and rows may still come after it was solved."""

    def __init__(self) -> None:
        self._columns: list[tuple[float, float, bool]] = []
        self._terms: list[tuple[int, int, float]] = []
        self._rows: list[tuple[float, float]] = []

    def copy(self) -> Draft:
        """Return one that goes on by itself."""
        other = Draft()
        other._columns, other._terms, other._rows = self._columns.copy(), self._terms.copy(), self._rows.copy()
        return other

    def column(self, lower: float = 0.0, upper: float = INFINITY, *, integral: bool = False) -> int:
        """Add a column and return its number."""
        self._columns.append((lower, upper, integral))
        return len(self._columns) - 1

    def row(self, terms: Iterable[Term], *, lower: float = -INFINITY, upper: float = INFINITY) -> None:
        """Hold a sum between two bounds; terms of one column are added up."""
        here = len(self._rows)
        self._terms += [(here, column, factor) for column, factor in terms if factor != 0.0]
        self._rows.append((lower, upper))

    def programme(self, objective: Sequence[Term], *, is_relaxed: bool = False) -> Programme:
        """Write it out; relaxed, every column may be broken."""
        n_row, n_column = len(self._rows), len(self._columns)
        worth = np.zeros(n_column)
        for column, factor in objective:
            worth[column] += factor
        at = np.array([(row, column) for row, column, _ in self._terms], dtype=np.int64).reshape(-1, 2)
        factors = np.array([factor for _, _, factor in self._terms])
        bounds, columns = np.array(self._rows).reshape(-1, 2), np.array(self._columns, dtype=np.float64).reshape(-1, 3)
        return Programme(
            objective=worth,
            matrix=sparse.csr_array((factors, (at[:, 0], at[:, 1])), shape=(n_row, n_column)),
            row_lower=bounds[:, 0],
            row_upper=bounds[:, 1],
            lower=columns[:, 0],
            upper=columns[:, 1],
            integral=(columns[:, 2] > 0) & (not is_relaxed),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Optimum:
    """What a programme was solved to.

    Attributes
    ----------
    x : ndarray, shape (n_column,)
        The best solution found; empty where there is none.
    value : float
        Its objective.
    bound : float
        No solution can be above this.
    status : str
        What HiGHS says: "Optimal" where it proved it.
    iterations : int
        Simplex iterations that it took: effort that does not depend on the machine.
    """

    x: FloatArray
    value: float
    bound: float
    status: str
    iterations: int = 0

    @property
    def is_proved(self) -> bool:
        """True where no better solution exists."""
        return self.status == "Optimal"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DualBound:
    """A bound that the multipliers of the rows prove, whatever a solver's tolerances: weak duality.

    Attributes
    ----------
    bound : float
        No solution of the programme is above this; infinite where the multipliers prove nothing.
    worth : ndarray, shape (n_column,)
        What one unit of each column adds to the bound: taking a column off its better end costs at least this.
    """

    bound: float
    worth: FloatArray


def dual_bound(programme: Programme) -> DualBound:
    r"""Bound a programme by the multipliers of its relaxation.

    With multipliers :math:`y` of the rows, :math:`\sum_j c_j x_j \le \sum_i y_i b_i + \sum_j \max_{x_j} (c_j -
    \sum_i y_i a_{ij}) x_j` for every feasible x.

    Parameters
    ----------
    programme : Programme
        With finite bounds of its columns.

    Returns
    -------
    DualBound

    References
    ----------
    .. [1] L. A. Wolsey, *Integer Programming*, 2nd ed., 2020, chapters 2.5 (duality) and 7.4 (fixing by reduced cost).
    """
    relaxed = replace(programme, integral=np.zeros(len(programme.objective), dtype=bool))
    solver = _solver({"presolve": "choose"})
    solver.passModel(_model(relaxed))
    solver.run()
    y = np.array(solver.getSolution().row_dual, dtype=np.float64)
    if len(y) != len(programme.row_upper) or not np.isfinite(y).all():
        return DualBound(bound=INFINITY, worth=np.zeros(len(programme.objective)))
    # A multiplier counts at the end of its row that it pushes against; at an open end it is none.
    above = np.where(np.isfinite(programme.row_upper), np.maximum(y, 0.0), 0.0)
    below = np.where(np.isfinite(programme.row_lower), np.maximum(-y, 0.0), 0.0)
    worth = programme.objective - programme.matrix.T @ (above - below)
    ends = above @ np.where(above > 0.0, programme.row_upper, 0.0) - below @ np.where(
        below > 0.0, programme.row_lower, 0.0
    )
    best = np.maximum(worth * programme.lower, worth * programme.upper)
    return DualBound(bound=float(ends + best.sum()), worth=worth)


def maximise(
    programme: Programme,
    *,
    most_nodes: int | None = None,
    most_seconds: float | None = None,
    tell: Callable[[float, float], None] | None = None,
    is_presolved: bool = True,
) -> Optimum:
    """Maximise a linear objective over whole and real numbers.

    Parameters
    ----------
    programme : Programme
        What is maximised, and within what.
    most_nodes : int, optional
        Nodes of the search tree after which the best solution so far is taken; none where not given. Nodes and not
        seconds, so that the same programme ends alike on every machine.
    most_seconds : float, optional
        Time after which the best solution so far is taken all the same; none where not given. [s]
    tell : callable, optional
        Hears the objective of the best solution so far and the bound, some times a second; what it raises, such as
        KeyboardInterrupt, ends the search.
    is_presolved : bool
        Whether HiGHS may rewrite the programme first. In programmes with factors of very different size this has made
        feasible ones infeasible.

    Returns
    -------
    Optimum

    References
    ----------
    .. [1] Q. Huangfu, J. A. J. Hall, "Parallelizing the dual revised simplex method", Mathematical Programming
       Computation 10(1), 2018. DOI 10.1007/s12532-017-0130-5 (HiGHS).
    """
    options: dict[str, bool | int | float | str] = {"presolve": "choose" if is_presolved else "off"}
    if most_nodes is not None:
        options["mip_max_nodes"] = most_nodes
    if most_seconds is not None:
        options["time_limit"] = most_seconds
    solver = _solver(options)
    if tell is not None:
        heard = tell
        solver.cbMipInterrupt.subscribe(
            lambda event: heard(event.data_out.mip_primal_bound, event.data_out.mip_dual_bound)
        )
    solver.passModel(_model(programme))
    solver.run()
    info = solver.getInfo()
    is_found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    return Optimum(
        x=np.array(solver.getSolution().col_value) if is_found else np.zeros(0),
        value=float(info.objective_function_value),
        bound=float(info.mip_dual_bound if programme.integral.any() else info.objective_function_value),
        status=str(solver.modelStatusToString(solver.getModelStatus())),
        iterations=int(info.simplex_iteration_count),
    )


def _solver(options: Mapping[str, bool | int | float | str]) -> highspy.Highs:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    # One thread: the same answer on every machine, and processes are shared out by county already.
    own = {"output_flag": False, "threads": 1, "mip_rel_gap": 0.0, "mip_abs_gap": 0.0}
    for name, setting in {**own, **options}.items():
        solver.setOptionValue(name, setting)
    return solver


def _model(programme: Programme) -> highspy.HighsLp:
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = programme.matrix.shape
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_, model.col_lower_, model.col_upper_ = programme.objective, programme.lower, programme.upper
    model.row_lower_, model.row_upper_ = programme.row_lower, programme.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = programme.matrix.indptr.astype(np.int32)
    model.a_matrix_.index_ = programme.matrix.indices.astype(np.int32)
    model.a_matrix_.value_ = programme.matrix.data.astype(np.float64)
    kinds = highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger
    model.integrality_ = [kinds[int(whole)] for whole in programme.integral]
    return model
