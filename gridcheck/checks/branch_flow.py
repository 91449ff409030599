r"""Load flow as rows of a mixed-integer programme: the buses and branches that a restoration may touch.

The branch flow equations of a radial network [1]_, with :math:`v` the squared voltages, :math:`\ell` the squared
current, :math:`P, Q` what enters a branch behind its ratio n, and g, b the shunts of a bus:

.. math::

    \sum_{in} (P - r\ell) - \sum_{out} P &= p + g v, \qquad
    \sum_{in} (Q - x\ell) - \sum_{out} Q = q - b v

    v_t &= v_f / n^2 - 2 (r P + x Q) + (r^2 + x^2)\,\ell

    \ell\, v_f / n^2 &= P^2 + Q^2

are linear but for the last one. It is replaced by tangent planes of the convex :math:`(P^2 + Q^2) / v`, each of which
is a lower bound of the current [2]_ [3]_:

.. math:: \ell \ge 2 \frac{P_0}{v_0} P + 2 \frac{Q_0}{v_0} Q - \frac{P_0^2 + Q_0^2}{v_0^2} \frac{v_f}{n^2}

Without any of them this is LinDistFlow without losses, whose voltages are never below those of the load flow [3]_.
Every solution of the load flow fulfils all rows, so that whatever the rows forbid is impossible.

References
----------
.. [1] M. E. Baran, F. F. Wu, "Network reconfiguration in distribution systems for loss reduction and load balancing",
   IEEE Transactions on Power Delivery 4(2), 1989. DOI 10.1109/61.25627
.. [2] R. A. Jabr, R. Singh, B. C. Pal, "Minimum loss network reconfiguration using mixed-integer convex programming",
   IEEE Transactions on Power Systems 27(2), 2012. DOI 10.1109/TPWRS.2011.2180406
.. [3] L. Gan, N. Li, U. Topcu, S. H. Low, "Exact convex relaxation of optimal power flow in radial networks", IEEE
   Transactions on Automatic Control 60(1), 2015. DOI 10.1109/TAC.2014.2332712
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray
from gridcheck.checks.islands import LIVE
from gridcheck.checks.reach import Reach, Span
from gridcheck.mixed_integer import INFINITY, Draft, Term

# HiGHS takes feasible programmes for infeasible where factors are very small.
# Squared voltages are columns in percent.
_UNIT = 100.0
# Factors that are left out, and those of tangents that are replaced by a bound.
_TINY, _SLIGHT = 1e-6, 1e-5
# Impedance below which a branch counts as so long for the unit of its current. [1/MW]
_SHORT = 1e-4
# Shunts that stand in the balance as they are, and loads that do so; smaller ones are bounded. [MW]
_LARGE, _SMALL = 0.05, 1e-5

# What flows into the dark may be so many times its load: losses are far below the load wherever there is a solution.
_LOSSES = 2.0
# No load flow has a solution with voltages below this. [pu]
_HALF = 0.5
# A tangent is added where the current lies below its true value by this share, and by this in its unit.
_LOOSE, _NO_CURRENT = 1e-4, 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchable:
    """Columns of the forest that the flows depend on.

    Attributes
    ----------
    served : sequence of int
        Whether each dark section is supplied.
    towards_a, towards_b : sequence of int
        Whether each link is used towards its end a, or its end b; -1 where it cannot be.
    """

    served: Sequence[int]
    towards_a: Sequence[int]
    towards_b: Sequence[int]

    def used(self, link: int) -> list[Term]:
        """Return the sum that says whether a link is used."""
        return [(column, 1.0) for column in (self.towards_a[link], self.towards_b[link]) if column >= 0]


class FlowRows:
    """The rows of one load case."""

    def __init__(
        self, draft: Draft, reach: Reach, switchable: Switchable, p_mw: FloatArray, q_mvar: FloatArray
    ) -> None:
        self.draft, self.reach, self.switchable = draft, reach, switchable
        self.p_mw, self.q_mvar = p_mw[reach.bus], q_mvar[reach.bus]
        is_dark = reach.place != LIVE
        self.charging = float(sum(span.charging_mvar for span in reach.spans) + np.abs(reach.b_mvar).sum())
        dark_mw, every_mw = (float((self.p_mw + self.q_mvar)[some].sum()) for some in (is_dark, slice(None)))
        self.most_mw, self.every_mw = (_LOSSES * (load + self.charging) + 1e-3 for load in (dark_mw, every_mw))
        self.p_of, self.q_of = (_by_place(reach, power) for power in (self.p_mw, self.q_mvar))
        self.low, self.high = _UNIT * reach.low, _UNIT * reach.high
        self.v = [self._voltage(i) for i in range(len(reach.bus))]
        self.p_sums: list[list[Term]] = [[] for _ in reach.bus]
        self.q_sums: list[list[Term]] = [[] for _ in reach.bus]
        # Reactive power that small shunts and the charging of branches with links may give and take. [Mvar]
        self.given, self.taken = np.zeros(len(reach.bus)), np.zeros(len(reach.bus))
        self.flows = [self._span(span) for span in reach.spans]
        for i in range(len(reach.bus)):
            self._balance(i)

    def _voltage(self, i: int) -> int:
        low, high, place = float(self.low[i]), float(self.high[i]), int(self.reach.place[i])
        if place == LIVE:
            return self.draft.column(low, high)
        v = self.draft.column(0.0, high)
        # What is not supplied has no voltage.
        served = self.switchable.served[place]
        self.draft.row([(v, 1.0), (served, -high)], upper=0.0)
        self.draft.row([(v, 1.0), (served, -low)], lower=0.0)
        return v

    def _span(self, span: Span) -> tuple[int, int, int]:
        """Add the flows of a branch and what joins the voltages of its ends; return the columns P, Q and current."""
        most = self.most_mw if span.links else self.every_mw
        p, q = self.draft.column(-most, most), self.draft.column(-most, most)
        # A limit far above all that can flow would only spoil the numbers.
        unit, has_limit = _current_unit(span), span.most_current < (self.every_mw / _HALF) ** 2
        most_current = unit * span.most_current if has_limit else INFINITY
        current = self.draft.column(0.0, most_current)
        self.p_sums[span.from_bus].append((p, -1.0))
        self.p_sums[span.to_bus] += [(p, 1.0), (current, -span.r / unit)]
        self.q_sums[span.from_bus].append((q, -1.0))
        self.q_sums[span.to_bus] += [(q, 1.0), (current, -span.x / unit)]
        drop = [(self.v[span.to_bus], 1.0), (self.v[span.from_bus], -1.0 / span.ratio**2)]
        drop += [(p, 2.0 * _UNIT * span.r), (q, 2.0 * _UNIT * span.x)]
        drop.append((current, -_UNIT * (span.r**2 + span.x**2) / unit))
        drop = [term for term in drop if abs(term[1]) > _TINY]
        if not span.links:
            self.draft.row(drop, lower=0.0, upper=0.0)
            return p, q, current
        self._switched(span, drop)
        for link, is_forward in span.links:
            ends = self.switchable.towards_b[link], self.switchable.towards_a[link]
            forward, backward = ends if is_forward else ends[::-1]
            for flow, load_of, against in ((p, self.p_of, 0.0), (q, self.q_of, self.charging)):
                # At least the load of the next section goes its way; charging may send reactive power against it.
                ends_at = [int(self.reach.place[bus]) for bus in (span.from_bus, span.to_bus)]
                from_load, to_load = [load_of.get(place, 0.0) if len(span.links) == 1 else 0.0 for place in ends_at]
                self.draft.row([(flow, 1.0), *_times((forward, -most), (backward, from_load - against))], upper=0.0)
                self.draft.row([(flow, 1.0), *_times((forward, against - to_load), (backward, most))], lower=0.0)
            if has_limit:
                used = [(column, -most_current) for column, _ in self.switchable.used(link)]
                self.draft.row([(current, 1.0), *used], upper=0.0)
        # Where the charging of a branch acts that may be open at either end is left open: at most all of it at both.
        for bus in (span.from_bus, span.to_bus):
            self.given[bus] += max(span.charging_mvar, 0.0) * self.reach.high[bus]
            self.taken[bus] += max(-span.charging_mvar, 0.0) * self.reach.high[bus]
        return p, q, current

    def _switched(self, span: Span, drop: list[Term]) -> None:
        """Let the voltages at both ends go where not every link on the branch is used."""
        reach, square = self.reach, 1.0 / span.ratio**2
        highs = self.high[span.to_bus], self.high[span.from_bus] * square
        lows = min(self.low[span.to_bus], highs[1]), min(self.low[span.from_bus] * square, highs[0])
        used = [term for link, _ in span.links for term in self.switchable.used(link)]
        more = len(span.links) - 1.0
        sides: list[tuple[list[Term], float]] = []
        # to - from <= high_to served_to - low_from served_from - (high_to - low_from) (used - n + 1),
        # and likewise below.
        for to_bound, from_bound in ((highs[0], lows[1]), (lows[0], highs[1])):
            width, constant = float(to_bound - from_bound), 0.0
            terms = [*drop, *((column, factor * width) for column, factor in used)]
            for bus, bound in ((span.to_bus, -to_bound), (span.from_bus, from_bound)):
                place = int(reach.place[bus])
                if place == LIVE:
                    constant -= float(bound)
                else:
                    terms.append((self.switchable.served[place], float(bound)))
            sides.append((terms, constant + width * more))
        self.draft.row(sides[0][0], upper=sides[0][1])
        self.draft.row(sides[1][0], lower=sides[1][1])

    def _balance(self, i: int) -> None:
        reach = self.reach
        if reach.is_source[i]:
            return
        p, q = float(self.p_mw[i]), float(self.q_mvar[i])
        self._sum_up(i, self.p_sums[i], p, -float(reach.g_mw[i]), (0.0, 0.0))
        self._sum_up(i, self.q_sums[i], q, float(reach.b_mvar[i]), (float(self.given[i]), float(self.taken[i])))

    def _sum_up(self, i: int, sums: list[Term], load: float, shunt: float, slack: tuple[float, float]) -> None:
        """Let a load and a shunt take what the branches bring, but for what may be given and taken."""
        terms, (given, taken), place = list(sums), slack, int(self.reach.place[i])
        if abs(shunt) >= _LARGE:
            terms.append((self.v[i], shunt / _UNIT))
        else:
            most = float(self.reach.high[i])
            given, taken = given + max(shunt, 0.0) * most, taken + max(-shunt, 0.0) * most
        if abs(load) < _SMALL:
            taken, load = taken + load, 0.0
        constant = load if place == LIVE else 0.0
        if place != LIVE:
            terms.append((self.switchable.served[place], -load))
        self.draft.row([term for term in terms if abs(term[1]) > _TINY], lower=constant - given, upper=constant + taken)

    def add_tangents(self, x: FloatArray) -> int:
        """Bound the currents from below at the flows of a solution; return how many of them lay too low.

        Parameters
        ----------
        x : ndarray, shape (n_column,)
            Solution of the programme as written so far.
        """
        count = 0
        for span, (p, q, current) in zip(self.reach.spans, self.flows, strict=True):
            unit, v = _current_unit(span), x[self.v[span.from_bus]] / _UNIT / span.ratio**2
            if v <= 0.0:
                continue
            true = unit * (x[p] ** 2 + x[q] ** 2) / v
            if x[current] < true * (1.0 - _LOOSE) - _NO_CURRENT:
                self._tangent(span, (p, q, current), (x[p] / v, x[q] / v))
                count += 1
        return count

    def _tangent(self, span: Span, flows: tuple[int, int, int], at: tuple[float, float]) -> None:
        """Touch the current at P_0 / v_0 and Q_0 / v_0."""
        p, q, current = flows
        unit, v = _current_unit(span), self.v[span.from_bus]
        square = unit * (at[0] ** 2 + at[1] ** 2) / span.ratio**2 / _UNIT
        terms, constant = [(current, 1.0)], 0.0
        for column, factor, most in (
            (p, -2.0 * unit * at[0], self.every_mw),
            (q, -2.0 * unit * at[1], self.every_mw),
            (v, square, float(self.high[span.from_bus])),
        ):
            # What is too small for the solver is put at its most.
            if abs(factor) < _SLIGHT:
                constant += abs(factor) * most
            else:
                terms.append((column, factor))
        self.draft.row(terms, lower=-constant)


def _current_unit(span: Span) -> float:
    """Return what squared currents are multiplied by, so that no factor of theirs is very large or small."""
    return _UNIT * max(abs(complex(span.r, span.x)), _SHORT)


def _by_place(reach: Reach, power: FloatArray) -> dict[int, float]:
    """Return the load of each dark section."""
    result: dict[int, float] = {}
    for place, load in zip(reach.place.tolist(), power.tolist(), strict=True):
        if place != LIVE:
            result[place] = result.get(place, 0.0) + load
    return result


def _times(*terms: Term) -> list[Term]:
    return [(column, factor) for column, factor in terms if column >= 0]
