"""Every planted scheme shows in the five tables, by a check written here without the library's own analyses.

Where a scheme can be counted exactly, the check finds the labelled entities and no others.
"""

import networkx as nx
import pandas as pd
import pytest

from riskgraph.datasets import make_county

#: what the plans of 2016 look for in names and business scopes
KEYWORDS = (
    "交易所", "交易中心", "交易市场", "贵金属", "金融", "资产管理",
    "理财", "基金", "投资管理", "投资咨询", "投资顾问", "资本管理",
    "财富管理", "股权投资", "项目投资", "网贷", "网络借贷", "P2P",
    "股权众筹", "互联网保险", "支付", "非融资性担保",
)  # fmt: skip
#: names that need an approval
APPROVED = {"担保": "guarantee", "典当": "pawn", "小额贷款": "microloan"}


@pytest.fixture(scope="module")
def tables():
    return make_county()


@pytest.fixture(scope="module")
def now(tables):
    """Relations without end."""
    return tables["relations"].query("end.isna()")


@pytest.fixture(scope="module")
def labelled(tables):
    return tables["labels"].groupby("typology")["entity"].agg(set)


@pytest.fixture(scope="module")
def kind(tables):
    return tables["entities"].set_index("id")["kind"]


def _edges(relations, kinds):
    part = relations[relations["kind"].isin(kinds)]
    return zip(part["source"], part["target"], strict=True)


def _circles(relations, kinds):
    graph = nx.DiGraph(list(_edges(relations, kinds)))
    return {node for part in nx.strongly_connected_components(graph) if len(part) > 1 for node in part}


def test_onion_shells_hide_one_person(now, labelled, kind):
    major = now[(now["kind"] == "owns") & (now["share"] > 0.5)].set_index("target")["source"]
    depths = {}
    for firm in kind.index[kind == "company"]:
        at, shells = firm, 0
        while at in major.index and shells < 50:
            at = major[at]
            shells += kind[at] == "company"
        if kind[at] == "person":
            depths[firm] = shells
    held = set(major)
    bottoms = {firm for firm, depth in depths.items() if depth >= 6 and firm not in held}
    assert bottoms == labelled["onion_shell"]


def test_circular_capital_comes_back(now, labelled, kind):
    circle = _circles(now, ["owns", "lends", "invests"])
    assert {node for node in circle if kind[node] == "company"} == labelled["circular_capital"]
    # each step carries the same amount
    inside = now[now["source"].isin(circle) & now["target"].isin(circle) & now["amount"].notna()]
    for part in nx.weakly_connected_components(nx.DiGraph(list(zip(inside["source"], inside["target"], strict=True)))):
        assert inside.loc[inside["source"].isin(part), "amount"].nunique() == 1


def test_nominees_front_for_somebody_else(now, labelled, kind):
    seats = now[now["kind"].isin(["owns", "officer"]) & (now["source"].map(kind) == "person")]
    count = seats.groupby("source")["target"].nunique()
    assert set(count.index[count >= 40]) == labelled["nominee_star"]
    controls = now[now["kind"] == "controls"]
    for nominee in labelled["nominee_star"]:
        firms = set(seats.loc[seats["source"] == nominee, "target"])
        over = controls[controls["target"].isin(firms)]
        assert set(over["target"]) == firms
        assert over["source"].nunique() == 1
        assert nominee not in set(over["source"])


def test_guarantee_rings(now, labelled):
    assert _circles(now, ["guarantees"]) == labelled["guarantee_ring"]


def test_self_financing_platforms_lend_to_their_own(now, labelled, tables):
    tied = nx.Graph(list(_edges(now, ["owns", "kin"])))
    tied.remove_edges_from(
        [(row.source, row.target) for row in now.query("kind == 'owns' and share < 0.5").itertuples(index=False)]
    )
    raised = now[now["kind"] == "raises_on"]
    ratios = {}
    for platform, loans in raised.groupby("target"):
        own = nx.node_connected_component(tied, platform) if platform in tied else set()
        ratios[platform] = loans.loc[loans["source"].isin(own), "amount"].sum() / loans["amount"].sum()
    assert {platform for platform, ratio in ratios.items() if ratio > 0} == labelled["self_financing"]
    assert all(ratios[platform] == pytest.approx(0.4) for platform in labelled["self_financing"])


def test_no_other_platform_shares_people_with_its_borrowers(now, labelled):
    people = now[now["kind"].isin(["owns", "officer"])].groupby("target")["source"].agg(set)
    for row in now[now["kind"] == "raises_on"].itertuples(index=False):
        if row.target not in labelled["self_financing"]:
            assert not people.get(row.source, set()) & people.get(row.target, set())


def test_licence_stacks_share_a_director_an_account_and_an_address(now, labelled, tables, kind):
    major = now[(now["kind"] == "owns") & (now["share"] > 0.5) & (now["source"].map(kind) == "company")]
    licences = tables["licences"].groupby("entity")["sector"].agg(set)
    stacks = {}
    for head, units in major.groupby("source")["target"]:
        stacks[head] = set().union(*(licences.get(unit, set()) for unit in units))
    assert {head for head, sectors in stacks.items() if len(sectors) >= 2} == labelled["licence_stacking"]
    for head in labelled["licence_stacking"]:
        assert stacks[head] == {"p2p", "payment", "insurance", "fund"}
        units = set(major.loc[major["source"] == head, "target"])
        for relation, end, far in (
            ("officer", "target", "source"),
            ("operates", "source", "target"),
            ("located_at", "source", "target"),
        ):
            part = now[(now["kind"] == relation) & now[end].isin(units)]
            assert part.groupby(far)[end].nunique().max() == 4


def test_evasion_stays_just_below_half(now, labelled):
    owns = now[now["kind"] == "owns"]
    near = owns[(owns["share"] > 0.49) & (owns["share"] < 0.5)]
    assert set(near["target"]) == labelled["evasion_49"]
    tied = nx.Graph(list(_edges(now, ["kin", "concert"])))
    for row in near.itertuples(index=False):
        friends = set(tied[row.source])
        vehicles = set(owns[owns["source"].isin(friends) & (owns["share"] > 0.5)]["target"])
        together = owns[(owns["target"] == row.target) & owns["source"].isin(friends | vehicles | {row.source})]
        assert together["share"].sum() > 0.5


def test_feeders_pass_two_hundred_together_only(now, labelled, kind):
    paid = nx.DiGraph(list(_edges(now, ["invests"])))
    products = [node for node in paid if kind[node] == "product"]
    people = {node: {x for x in nx.ancestors(paid, node) if kind[x] == "person"} for node in products}
    assert {node for node, found in people.items() if len(found) > 200} == labelled["feeder_split"]
    for fund in labelled["feeder_split"]:
        feeders = list(paid.predecessors(fund))
        assert len(feeders) == 3
        assert all(80 <= len(people[feeder]) <= 100 for feeder in feeders)
        assert sum(len(people[feeder]) for feeder in feeders) > len(people[fund])


def test_nested_products_pass_four_layers(now, labelled, tables, kind):
    paid = nx.DiGraph([(a, b) for a, b in _edges(now, ["invests"]) if kind[a] == kind[b] == "product"])
    depth = {}
    for node in nx.topological_sort(paid):
        above = {len(nx.dag_longest_path(paid.subgraph({node, *nx.ancestors(paid, node)})))}
        below = {len(nx.dag_longest_path(paid.subgraph({node, *nx.descendants(paid, node)})))}
        depth[node] = max(above) + max(below) - 1
    assert {node for node, layers in depth.items() if layers >= 4} == labelled["multi_layer_nesting"]
    sector = tables["entities"].set_index("id")["sector"]
    managers = now[now["kind"] == "manages"].set_index("target")["source"]
    for part in nx.weakly_connected_components(paid.subgraph(labelled["multi_layer_nesting"])):
        assert set(sector[list(part)]) == {"bank", "trust", "securities", "fund"}
        assert set(sector[managers[list(part)]]) == {"bank", "trust", "securities", "fund"}


def test_money_is_passed_on_whole_in_chains_and_feeders(now, labelled):
    paid = now[now["kind"] == "invests"]
    received, passed = paid.groupby("target")["amount"].sum(), paid.groupby("source")["amount"].sum()
    for product in labelled["multi_layer_nesting"] | labelled["feeder_split"]:
        assert received[product] == passed[product]


def test_subcontract_chains_are_licensed_at_the_head_only(now, labelled, tables):
    passed = nx.DiGraph(list(_edges(now, ["subcontracts"])))
    licensed = set(tables["licences"].query("sector == 'payment'")["entity"])
    assert set(passed) == labelled["subcontract_chain"]
    for part in nx.weakly_connected_components(passed):
        chain = nx.dag_longest_path(passed.subgraph(part))
        assert len(chain) == len(part) >= 3
        assert [firm in licensed for firm in chain] == [True] + [False] * (len(chain) - 1)


def test_officer_bans_are_breached_by_the_labelled_only(tables, labelled):
    revoked = tables["cases"].query("type == 'revoked'")[["entity", "start"]]
    posts = tables["relations"].query("kind == 'officer'")
    heads = posts[posts["role"] == "legal_representative"].merge(revoked, left_on="target", right_on="entity")
    heads = heads[(heads["start_x"] <= heads["start_y"]) & (heads["end"].isna() | (heads["end"] > heads["start_y"]))]
    assert len(heads) == len(revoked) == 7
    new = heads[["source", "target", "start_y"]].merge(posts, on="source", suffixes=("_old", ""))
    until = (pd.to_datetime(new["start_y"]) + pd.DateOffset(years=3)).dt.strftime("%Y-%m-%d")
    barred = new[(new["target"] != new["target_old"]) & (new["start"] >= new["start_y"]) & (new["start"] < until)]
    assert set(barred["source"]) == labelled["officer_ban_breach"]


def test_multi_case_holders_bought_again(tables, labelled, kind):
    cases = tables["cases"].query("type == 'illegal_fundraising'")
    owns = tables["relations"].query("kind == 'owns'")
    held = owns.merge(cases, left_on="target", right_on="entity", suffixes=("", "_case"))
    held = held[held["start"] <= held["start_case"]].sort_values("start_case")
    found = {}
    for holder, rows in held.groupby("source"):
        if rows["target"].nunique() >= 2:
            second = rows["start_case"].iloc[1]
            found[holder] = set(owns[(owns["source"] == holder) & (owns["start"] > second)]["target"])
    assert set(found) == labelled["multi_case_shareholder"]
    assert all(len(later) == 1 for later in found.values())


def test_registered_elsewhere(tables, labelled):
    firms = tables["entities"].query("kind == 'company'")
    away = firms["registered_in"].str[:2] != "32"
    here = firms["operates_in"].str.split(";").map(lambda codes: any(code[:2] == "32" for code in codes))
    assert set(firms.loc[away & here, "id"]) == labelled["registered_elsewhere"]


def test_plain_firms_give_no_reason(tables, labelled, now, kind):
    plain = labelled["plain"]
    assert len(plain) >= 80
    entities = tables["entities"].set_index("id")
    firms = entities.loc[sorted(plain)]
    assert not firms[["name", "sector", "registered_in", "operates_in", "scope", "capital", "uscc"]].isna().any().any()
    assert (firms["registered_in"] == firms["operates_in"]).all()
    assert firms["end"].isna().all()
    assert not plain & {*tables["cases"]["entity"], *tables["facts"]["entity"]}
    for text in (*firms["name"], *firms["scope"]):
        assert not [word for word in KEYWORDS if word in text]
    licences = tables["licences"].set_index("entity")
    for firm, row in firms.iterrows():
        needed = {sector for word, sector in APPROVED.items() if word in row["name"]}
        assert needed <= {row["sector"]}
        if row["sector"] == "other":
            assert firm not in licences.index
        else:
            assert licences.loc[firm, "sector"] == row["sector"]
            assert licences.loc[firm, "start"] <= row["start"]
            assert pd.isna(licences.loc[firm, "end"])
    # their relations: holders, officers and an address of their own, and nothing else
    relations = tables["relations"]
    near = relations[relations["source"].isin(plain) | relations["target"].isin(plain)]
    assert set(near["kind"]) == {"owns", "officer", "located_at"}
    others = {*near["source"], *near["target"]} - plain
    beyond = relations[relations["source"].isin(others) | relations["target"].isin(others)]
    assert len(beyond) == len(near)
    parts = nx.connected_components(nx.Graph(list(zip(near["source"], near["target"], strict=True))))
    assert all(len(part & plain) == 1 for part in parts)
    assert set(kind[sorted(others)]) == {"person", "address"}
    sums = near[near["kind"] == "owns"].groupby("target")["share"].sum()
    assert (sums == 1.0).all()
    heads = near[near["role"] == "legal_representative"]["target"].value_counts()
    assert set(heads.index) == plain
    assert (heads == 1).all()
