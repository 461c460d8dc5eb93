"""Communities of paragraphs about the same thing, in the graph of nearest neighbours."""

import numpy as np
from numpy.typing import NDArray

from models.topics.online.centring import Vectors, compare

Rows = NDArray[np.int64]


def communities(centred: Vectors, neighbours: int, resolution: float) -> list[Rows]:
    """Return the communities of paragraphs; largest first, each one's rows ascending.

    Louvain's method (Blondel et al. 2008) on the graph that joins a paragraph to its nearest neighbours,
    weighted by the share of neighbours that two have in common (Jarvis and Patrick 1973). On labelled
    newsletter items it agreed with people's labels as well as UMAP and HDBSCAN with outliers reduced, in a
    tenth of the time. It needs no compiler, leaves no paragraph out, and its number of groups is stable.

    Args:
        centred: float64 [n, d], centred on the background, of unit length.
        resolution: above 1 finds more and smaller groups (Reichardt and Bornholdt 2006).
    """
    import networkx
    import scipy.sparse as sp

    n = len(centred)
    k = min(neighbours, n - 1)
    if k < 1:
        return []
    cosines = compare(centred, centred)
    np.fill_diagonal(cosines, -2.0)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    near = sp.csr_matrix((np.ones(n * k), (np.repeat(np.arange(n), k), nearest.ravel())), (n, n))
    linked = sp.triu((near @ near.T).multiply((near + near.T) > 0), 1).tocoo()
    graph = networkx.Graph()
    graph.add_nodes_from(range(n))
    order = np.lexsort((linked.col, linked.row))
    graph.add_weighted_edges_from(
        (int(linked.row[at]), int(linked.col[at]), float(linked.data[at] / (2 * k - linked.data[at])))
        for at in order
    )
    found = networkx.community.louvain_communities(graph, resolution=resolution, seed=0)
    groups = [np.array(sorted(group), np.int64) for group in found]
    return sorted(groups, key=lambda rows: (-len(rows), int(rows[0])))
