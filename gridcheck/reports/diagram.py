"""Where the nodes of a tree of lines are drawn when nobody knows their places."""

from __future__ import annotations

from collections.abc import Sequence


def diagram_places(
    parent: Sequence[int], length_m: Sequence[float], *, roots_at: float = 0.0
) -> list[tuple[float, float]]:
    """Return places of the nodes of a tree as a diagram: x is the length of line from the root, y a row.

    The longest way on stays in the row; every other one gets a row of its own below. Lines that first go down at the
    place of the parent and then along the row of the child cross none.

    Parameters
    ----------
    parent : sequence of int
        Position of the node above, smaller than the own one; -1 at roots.
    length_m : sequence of float
        Line from the parent. [m]
    roots_at : float
        Row of the first root; rows go downwards by 1 each.

    Returns
    -------
    list of (float, float)
        x in metres, y in rows.

    Examples
    --------
    >>> diagram_places([-1, 0, 1, 0], [0.0, 50.0, 40.0, 30.0])
    [(0.0, 0.0), (50.0, 0.0), (90.0, 0.0), (30.0, -1.0)]
    """
    n = len(parent)
    along, reach = [0.0] * n, [0.0] * n
    children: list[list[int]] = [[] for _ in range(n)]
    roots = []
    for node in range(n):
        above = parent[node]
        if above < 0:
            roots.append(node)
        else:
            children[above].append(node)
            along[node] = along[above] + length_m[node]
    for node in reversed(range(n)):
        reach[node] = max([reach[child] for child in children[node]], default=along[node])
    places = [(0.0, 0.0)] * n
    row = roots_at
    for root in roots:
        waiting = [root]
        while waiting:
            node = waiting.pop()
            # A way goes on in its row to its far end; what turns off on it waits, the turn-off nearest the end first.
            while True:
                places[node] = (along[node], row)
                if not children[node]:
                    break
                onward = max(children[node], key=lambda child: (reach[child], -child))
                waiting += [child for child in reversed(children[node]) if child != onward]
                node = onward
            row -= 1.0
    return places


def bent_way(above: tuple[float, float], place: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Return the way of a line between two places of a diagram: down at the place above, then along the row.

    Examples
    --------
    >>> bent_way((0.0, 0.0), (30.0, -1.0))
    ((0.0, 0.0), (0.0, -1.0), (30.0, -1.0))
    """
    return (above, place) if above[1] == place[1] else (above, (above[0], place[1]), place)
