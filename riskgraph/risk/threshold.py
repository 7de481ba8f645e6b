"""Legal taint: what tainted holders together hold up to a threshold is tainted itself, and so on down."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from riskgraph._sparse import SHARE_UNITS, exact_shares, exact_threshold, expand, row_pointers
from riskgraph.errors import InvalidParameter
from riskgraph.graph import EntityGraph
from riskgraph.ownership._holdings import Holdings, holdings
from riskgraph.risk.base import Found, Propagation, check_fraction

__all__ = ["ThresholdCascade"]

#: sums of units stop here: far above any threshold, far below what int64 holds
_ENOUGH = 2_000 * SHARE_UNITS


class Taint(NamedTuple):
    """Who becomes tainted, and in which round: 0 for the seeds, -1 for never."""

    round: np.ndarray
    #: per entity, units of 1e-15 of it that tainted holders hold
    held: np.ndarray


class ThresholdCascade(Propagation):
    """Legal taint: an entity is tainted when tainted holders together hold at least the threshold of it.

    The rule of sanctions law (50 % in aggregate, direct or through tainted firms): full weight at the threshold, none
    below, shares added over holders and never multiplied along chains. The tainted are the least set that contains the
    seeds and obeys the rule, so a ring of firms does not taint itself. Shares are compared as exact decimals.

    Where shares are intervals or missing the answer is three-valued and sharp: ``"yes"`` when the entity is tainted
    whatever the shares inside their bounds are, ``"no"`` when it is under none of them, else ``"undetermined"``. A
    share that is not given lies between 0 and what the other holders leave. What no holder on record holds belongs to
    unknown others, who are not among the seeds.

    Parameters
    ----------
    threshold
        Part of the shares, in (0, 1].
    inclusive
        Whether exactly the threshold is enough.
    controls
        Whether ``controls`` relations (agreement, nominee, VIE) taint too, as where a law speaks of ownership *or*
        control.
    votes
        Count votes instead of shares.

    Attributes
    ----------
    labels_
        Series ``label``: ``"yes"``, ``"no"`` or ``"undetermined"``. Seeds are ``"yes"``.
    scores_
        Series ``risk``: 1, 0, and 0.5 for undetermined, the middle of ``bounds_`` and not a probability.
    bounds_
        Frame ``lower, upper``: 1 and 1 for yes, 0 and 0 for no, 0 and 1 for undetermined.

    Notes
    -----
    Every seed of weight above 0 is tainted; how much it weighs makes no difference. What a company holds of itself
    (treasury shares) leaves the base. ``seeds=None`` takes every entity under a seed case.

    References
    ----------
    OFAC (2014), revised guidance on entities owned by persons whose property is blocked; Tarski (1955) on least
    fixpoints.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskgraph as rg
    >>> graph = rg.EntityGraph.from_tables(
    ...     pd.DataFrame({"id": list("XYABC"), "kind": ["person"] * 2 + ["company"] * 3}),
    ...     pd.DataFrame(
    ...         [("X", "A", 0.25), ("Y", "A", 0.25), ("A", "B", 0.5), ("B", "C", 0.4), ("X", "C", None)],
    ...         columns=["source", "target", "share"],
    ...     ).assign(kind="owns"),
    ... )
    >>> model = ThresholdCascade().fit(graph, ["X", "Y"])
    >>> model.labels_.to_dict()
    {'X': 'yes', 'Y': 'yes', 'A': 'yes', 'B': 'yes', 'C': 'undetermined'}
    >>> model.derivation("B")[["step", "entity", "holders", "share_min"]]
       step entity holders  share_min
    0     1      A  (X, Y)        0.5
    1     2      B    (A,)        0.5
    """

    _measure: ClassVar[str] = "weight"
    _most: ClassVar[float | None] = None

    def __init__(
        self, *, threshold: float = 0.5, inclusive: bool = True, controls: bool = False, votes: bool = False
    ) -> None:
        self.threshold = threshold
        self.inclusive = inclusive
        self.controls = controls
        self.votes = votes

    def derivation(self, entity: str) -> pd.DataFrame:
        """Why an entity is tainted, or may be: the relations that prove it, in deriving order.

        The rule applied to these relations alone gives the same label.

        Returns
        -------
        One row a tainted entity on the way: ``step, entity, holders`` (tainted before it), ``share_min, share_max``
        (what they hold together; 1 where a holder controls it by agreement)``, relations`` (ids). Empty for a seed and
        for an entity that is not tainted.

        Raises
        ------
        UnknownEntity
            The graph does not hold the entity.
        """
        self._fitted()
        code = self.graph_.code(entity)
        taint = self._certain if self._certain.round[code] >= 0 else self._possible
        needed: set[int] = set()
        waiting = [code] if taint.round[code] > 0 else []
        rows: list[dict[str, Any]] = []
        while waiting:
            here = waiting.pop()
            if here in needed:
                continue
            needed.add(here)
            before, controlled = self._holders(here, taint)
            waiting += [holder for holder in before.tolist() if taint.round[holder] > 0]
            low, high = (1.0, 1.0) if controlled else self._together(here, before)
            # what a company holds of itself is part of the proof: it leaves the base
            proof = [self._relations(holder, here, controlled) for holder in before.tolist()]
            proof += [] if controlled else [self._relations(here, here, False)]
            rows.append(
                {
                    "step": here,
                    "entity": self.graph_.ids[here],
                    "holders": tuple(self.graph_.ids[before]),
                    "share_min": low,
                    "share_max": high,
                    "relations": tuple(self.graph_.relation_ids(np.concatenate(proof))),
                }
            )
        frame = pd.DataFrame(rows, columns=["step", "entity", "holders", "share_min", "share_max", "relations"])
        steps = frame["step"].to_numpy(dtype=np.int64)
        frame = frame.iloc[np.lexsort((steps, taint.round[steps]))].reset_index(drop=True)
        frame["step"] = np.arange(1, len(frame) + 1)
        return frame

    # -- the parts of a propagation ----------------------------------------------------------------------------------

    def _check(self) -> None:
        check_fraction("threshold", self.threshold, low=False)
        for name in ("inclusive", "controls", "votes"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                raise InvalidParameter(f"{name!r} must be True or False; got {getattr(self, name)!r}")

    def _spread(self, graph: EntityGraph, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        self._held = holdings(graph, votes=bool(self.votes))
        columns = graph.columns
        agreed = columns.of("controls") if self.controls else np.empty(0, dtype=np.int64)
        links = columns.source[agreed], columns.target[agreed]
        rule = exact_threshold(self.threshold), bool(self.inclusive)
        self._certain = spread_taint(self._held, codes, rule, links, most=False)
        self._possible = spread_taint(self._held, codes, rule, links, most=True)
        lower = (self._certain.round >= 0).astype(np.float64)
        upper = (self._possible.round >= 0).astype(np.float64)
        labels = np.array(["no", "undetermined", "yes"], dtype=object)[(lower + upper).astype(np.int64)]
        self.labels_ = pd.Series(labels, index=graph.ids, name="label")
        self.bounds_ = pd.DataFrame({"lower": lower, "upper": upper}, index=graph.ids)
        return (lower + upper) / 2

    def _columns(self, codes: np.ndarray, lang: str) -> dict[str, Any]:
        words = {"yes": "受牵连", "undetermined": "待定"} if lang == "zh" else {}
        labels = self.labels_.to_numpy()[codes]
        return {
            "label": [words.get(label, label) for label in labels],
            "held_min": np.minimum(self._certain.held[codes] / SHARE_UNITS, 1.0),
            "held_max": np.minimum(self._possible.held[codes] / SHARE_UNITS, 1.0),
        }

    def _find(self, code: int, k: int) -> list[Found]:
        """One path for each of the k holders that count most, back to a seed by the holders that count most."""
        taint = self._certain if self._certain.round[code] >= 0 else self._possible
        if taint.round[code] < 0:
            return []
        if taint.round[code] == 0:
            return [Found(1.0, (code,), ())]
        before, controlled = self._holders(code, taint)
        found = []
        for holder in before[:k].tolist():
            path = [holder, code]
            rows = [self._base_rows(holder, code, controlled)]
            while taint.round[path[0]] > 0:
                earlier, agreed = self._holders(path[0], taint)
                rows.insert(0, self._base_rows(int(earlier[0]), path[0], agreed))
                path.insert(0, int(earlier[0]))
            share = 1.0 if controlled else self._together(code, np.array([holder]))[0 if taint is self._certain else 1]
            found.append(Found(share, tuple(path), tuple(rows)))
        return found

    # -- who taints whom ---------------------------------------------------------------------------------------------

    def _holders(self, code: int, taint: Taint) -> tuple[np.ndarray, bool]:
        """Holders tainted before an entity, greatest share first; or, where it is by agreement, who controls it."""
        held = self._held
        pairs = np.arange(held.company_ptr[code], held.company_ptr[code + 1])
        owners = held.owner[pairs]
        earlier = (taint.round[owners] >= 0) & (taint.round[owners] < taint.round[code])
        units = (held.exact_low if taint is self._certain else held.exact_high)[pairs]
        earlier &= units > 0
        pairs, units = pairs[earlier], units[earlier]
        owners = owners[earlier]
        if self.controls:
            columns = self.graph_.columns
            agreed = columns.of("controls")
            masters = np.unique(columns.source[agreed[columns.target[agreed] == code]])
            masters = masters[(taint.round[masters] >= 0) & (taint.round[masters] < taint.round[code])]
            if masters.size:
                return masters[np.argsort(taint.round[masters], kind="stable")], True
        return owners[np.argsort(-units, kind="stable")], False

    def _together(self, code: int, owners: np.ndarray) -> tuple[float, float]:
        """Least and greatest part of an entity that some holders hold together."""
        held = self._held
        pairs = np.array([held.pair(int(owner), code) for owner in owners])
        low = int(held.exact_low[pairs].sum())
        left = SHARE_UNITS - int(held.exact_declared[code]) + low
        high = max(low, min(int(held.exact_high[pairs].sum()), left))
        return low / SHARE_UNITS, high / SHARE_UNITS

    def _relations(self, holder: int, company: int, controlled: bool) -> np.ndarray:
        """Positions of the relations by which a holder holds, or controls, a company."""
        if controlled:
            columns = self.graph_.columns
            agreed = columns.of("controls")
            return agreed[(columns.source[agreed] == holder) & (columns.target[agreed] == company)]
        pair = self._held.pair(holder, company)
        if pair < 0:
            return np.empty(0, dtype=np.int64)
        return self._held.indices[self._held.indptr[pair] : self._held.indptr[pair + 1]]

    def _base_rows(self, holder: int, company: int, controlled: bool) -> tuple[int, ...]:
        return tuple(self.graph_.columns.row[self._relations(holder, company, controlled)].tolist())


def spread_taint(
    held: Holdings, seeds: np.ndarray, rule: tuple[int, bool], links: tuple[np.ndarray, np.ndarray], *, most: bool
) -> Taint:
    """Least fixpoint of the rule, with the lowest shares inside their bounds or (``most``) the highest.

    Parameters
    ----------
    seeds
        Codes of the tainted from the start.
    rule
        Units of 1e-15 that taint, and whether exactly these are enough.
    links
        Codes of who taints whom whatever is held.
    most
        Give tainted holders of every company the most they can have: their highs, and at most what the lows of the
        other holders leave. One choice of shares does so for all companies at once, so both fixpoints are sharp.
    """
    n = held.n
    round_ = np.full(n, -1, dtype=np.int32)
    low, high = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    other = held.owner != held.company
    owner, company = held.owner[other], held.company[other]
    pair_low, pair_high = held.exact_low[other], held.exact_high[other]
    order = np.argsort(owner, kind="stable")
    company, pair_low, pair_high = company[order], pair_low[order], pair_high[order]
    pointers = row_pointers(n, owner)
    link_order = np.argsort(links[0], kind="stable")
    link_pointers, linked = row_pointers(n, links[0]), links[1][link_order]
    treasury = exact_shares(held.self_high if most else held.self_low)
    own = exact_shares(held.self_low)
    declared = held.exact_declared - own

    front = np.unique(seeds)
    round_[front] = 0
    depth = 0
    while front.size:
        depth += 1
        spots, _ = expand(pointers, front)
        touched = company[spots]
        np.add.at(low, touched, pair_low[spots])
        np.add.at(high, touched, pair_high[spots])
        touched = np.unique(touched)
        low[touched] = np.minimum(low[touched], _ENOUGH)
        high[touched] = np.minimum(high[touched], _ENOUGH)
        units = _held_units(low, high, declared, own, touched) if most else low[touched]
        tainted = touched[_reaches(units, treasury[touched], *rule)]
        spots, _ = expand(link_pointers, front)
        front = np.unique(np.concatenate([tainted, linked[spots]]))
        front = front[round_[front] < 0]
        round_[front] = depth
    everyone = np.arange(n)
    return Taint(round_, _held_units(low, high, declared, own, everyone) if most else low)


def _held_units(
    low: np.ndarray, high: np.ndarray, declared: np.ndarray, own: np.ndarray, codes: np.ndarray
) -> np.ndarray:
    """The most that tainted holders have of each company: their highs, cut by what the lows of the others leave."""
    left = SHARE_UNITS - own[codes] - (declared[codes] - low[codes])
    return np.maximum(low[codes], np.minimum(high[codes], left))


def _reaches(units: np.ndarray, treasury: np.ndarray, least: int, inclusive: bool) -> np.ndarray:
    """Whether the units are enough of what is left of a company without its treasury shares."""
    enough = units >= least if inclusive else units > least
    # least · (1 - treasury) does not fit into int64: whole numbers of Python, for the few who hold of themselves
    for place in np.flatnonzero(treasury > 0).tolist():
        base = SHARE_UNITS - int(treasury[place])
        over = int(units[place]) * SHARE_UNITS - least * base
        enough[place] = base > 0 and (over >= 0 if inclusive else over > 0)
    return enough
