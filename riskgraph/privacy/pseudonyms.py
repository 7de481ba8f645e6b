"""A graph whose persons stand behind pseudonyms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from riskgraph._pseudonyms import HIDDEN, SecretKey, pseudonymised

if TYPE_CHECKING:
    from riskgraph.graph import EntityGraph

__all__ = ["key_fingerprint", "pseudonymise"]


def pseudonymise(graph: EntityGraph, key: bytes | str, *, kinds: Iterable[str] = HIDDEN) -> EntityGraph:
    """The graph with the ids, names and numbers of its persons replaced by keyed hashes; firms stay as they are.

    The hash is HMAC-SHA256, cut to 96 bits. One person has one pseudonym in all tables and in every graph made with
    the same key, so everything that computes gives the same numbers. Replaced are:

    - ids of persons (``p_…``) and names (``n_…``; equal names stay equal), wherever a cell equals one, and where one
      stands inside a text such as an advertisement, a reference or the id of a row;
    - identity card and mobile numbers (``c_…``), mail addresses and all other texts of a person (``t_…``);
    - the legal representative or hidden owner that a fact names, and who gave a tip-off;
    - in ``quality`` the messages, in ``rejected`` every text.

    Words of the vocabulary, numbers and dates stay, and so do the names and ids of firms, even of a firm called after
    its owner. A pseudonym is still personal data: who has the key can tell, and a rare pattern of holdings can tell
    too.

    Parameters
    ----------
    key
        At least 16 bytes, better ``secrets.token_bytes(32)``. It is kept nowhere: who loses it cannot join again.
    kinds
        Kinds of entities to hide; by default those that are or may be a person.

    Raises
    ------
    InvalidParameter
        The key is shorter than 16 bytes, or a kind is none. The message does not quote the key.

    References
    ----------
    Krawczyk, Bellare and Canetti (1997), HMAC: Keyed-Hashing for Message Authentication, RFC 2104.

    Examples
    --------
    >>> import riskgraph as rg
    >>> from riskgraph.privacy import pseudonymise
    >>> graph = pseudonymise(rg.datasets.toy_chain(), b"an invented key of some length")
    >>> graph.relations[["source", "target", "share_min"]]
                           source   target  share_min
    0  p_c831fe5c0ac2d0d9487e7b44  Holding        0.6
    1                     Holding     Mine        0.5
    """
    return pseudonymised(graph, SecretKey(key), kinds)


def key_fingerprint(key: bytes | str) -> str:
    """Sixteen hexadecimal digits by which two holders tell that they have the same key, without showing it.

    Raises
    ------
    InvalidParameter
        The key is shorter than 16 bytes.

    Examples
    --------
    >>> from riskgraph.privacy import key_fingerprint
    >>> key_fingerprint(b"an invented key of some length") == key_fingerprint("an invented key of some length")
    True
    """
    return SecretKey(key).fingerprint
