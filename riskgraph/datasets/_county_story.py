"""The README of the county: what is invented, what the columns mean, and how each planted scheme shows."""

__all__ = ["STORY"]

#: Markdown; the counts in braces are filled from the tables
STORY = """\
# An invented county, 2012 to 2017

In April 2016 the State Council began to rectify internet finance. Provinces and counties wrote work plans: list the
firms of ten sectors, look through their owners and their money, tell the compliant from those to rectify and those to
ban. This data set is a county in the middle of it. **Everything in it is invented**: the county 澄湖县, its neighbours,
every firm, person, product, account, advertisement and case. No real firm or person is meant.

It holds {n_company} companies, {n_person} persons, {n_product} products, {n_website} websites,
{n_advertisement} advertisements, {n_address} addresses, {n_account} accounts, {n_trust} trust, {n_state} state
body and {n_unknown} undisclosed holder; {n_relations:,} relations of all 25 kinds, {n_cases} cases,
{n_licences} licences and {n_facts:,} facts. All ten sectors of the plans occur, and the licensed houses they work with.
Nine hundred of the companies are shops and workshops with which no scheme has to do, as in most of a register. Three
products in four are ordinary: plans and funds of one layer, issued by licensed houses, a few savers each; for a
third of them the register does not say where the money went.

## How the names and codes were made

- Firms are called place, brand, trade, legal form. The places (澄湖, 泊川, 苇津, 云麓, 栖浦, 琼塘) are invented;
  brands are two characters drawn from two lists.
- Persons are a surname and one or two common characters, drawn by code. Some names are borne by several people on
  purpose (刘伟 by six): they are different persons unless `same_as` says otherwise, and it only ever guesses.
- Region codes: 329921 is the county, 329922 and 329821 lie in the same province (32); 339921, 319921 and 449921 lie in
  others. GB/T 2260 assigns none of the six.
- Unified social credit codes pass both checks (modulo 11 of the organisation code, modulo 31 of the whole), but carry
  these unassigned regions: they were never issued. A right check digit does not mean that a company exists.
- Websites end in `.example`, which is reserved and cannot be registered.

## Files

UTF-8, comma, header, line feed; dates are ISO; an empty cell is unknown. `manifest.json` gives the SHA-256 and the
number of rows of each. `python -m riskgraph.datasets.county FOLDER` writes all of them anew, byte for byte.

- `entities.csv`: id kind name sector status registered_in operates_in scope capital uscc birth_year start end
  source_ref
- `relations.csv`: id source target kind share share_min share_max votes_min votes_max amount role confidence start
  end known_from source_ref
- `cases.csv`: id entity type severity authority due topic start end known_from
- `licences.csv`: id entity sector issuer number start end source_ref
- `facts.csv`: id entity fact value start end known_from source_ref
- `labels.csv`: entity typology
- `schemes.csv`: scheme typology entity part labelled

A relation reads *source kind target* and holds from `start` up to, not including, `end`; `known_from` is the day it
became known, where that was later. Shares are fractions, amounts CNY. A firm or platform `operates` its accounts and
websites. An exact share stands in `share`, a band in `share_min` and `share_max`; both empty means not filed. Shares of
a company sum to exactly 1 unless one is a band or was not filed.

## Planted schemes

`labels.csv` names the entities on which a check should come down; `schemes.csv` names everyone who takes part.
Every scheme shows in the five tables alone.

- `onion_shell`, {n_onion_shell} labels on the firm at the bottom: six to eight shells, each held by a majority of the
  one above, up to one person
- `circular_capital`, {n_circular_capital} labels on the firms of the circle: `owns`, `lends` and `invests` lead back
  to where the money began, the same amount at each step
- `nominee_star`, {n_nominee_star} labels on the nominee: holds and serves 42 to 46 firms that one other person
  `controls`, which became known in June 2016
- `guarantee_ring`, {n_guarantee_ring} labels on the firms of the ring: each guarantees the next one's bank loan
- `self_financing`, {n_self_financing} labels on the platform: borrowers on it belong to its owner or a relative: 14
  of 35 million
- `licence_stacking`, {n_licence_stacking} labels on the head of the group: 80 % of a lending platform, a payment
  firm, an insurance agent and a fund manager that share a director, an account and an address
- `evasion_49`, {n_evasion_49} labels on the company: 49.9 % in one hand and 2.1 % with kin, a concert party, or a
  firm of kin
- `feeder_split`, {n_feeder_split} labels on the fund: three feeders below 200 investors each, above 200 distinct
  together
- `multi_layer_nesting`, {n_multi_layer_nesting} labels on the products of the chain: bank plan, trust plan,
  securities plan, fund, then a builder
- `subcontract_chain`, {n_subcontract_chain} labels on the firms of the chain: a licensed payment firm subcontracts to
  a firm that subcontracts on; only the first has a licence
- `officer_ban_breach`, {n_officer_ban_breach} labels on the officer: legal representative when a firm was revoked,
  new post elsewhere within three years
- `multi_case_shareholder`, {n_multi_case_shareholder} labels on the holder: holds two firms with illegal fund-raising
  cases, then bought into a third
- `registered_elsewhere`, {n_registered_elsewhere} labels on the firm: registered in another province, operates here
- `plain`, {n_plain} labels on the firm: one sector, everything declared, people and address of its own, licence in
  force: nothing to find

Near misses are there too and bear no label: a fund with two feeders below the limit, a legal representative who waited
three years, a director who was not the legal representative, a firm of the neighbouring county, a cooperative's mutual
fund with approval, products that a saver can look through in one step.

## Licence

CC0 1.0: no rights reserved. The data were made by the code of riskgraph and contain nothing taken from elsewhere.
"""
