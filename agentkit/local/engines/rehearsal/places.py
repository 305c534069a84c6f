"""Names of countries, and where some large cities lie: enough for addresses and for tools that want coordinates."""

from __future__ import annotations

__all__ = ["COORDINATES", "REGIONS"]


def _names(text: str) -> frozenset[str]:
    return frozenset(" ".join(name.split()) for name in text.split(","))


REGIONS = _names(
    """
    afghanistan, albania, algeria, argentina, armenia, australia, austria, bangladesh, belarus, belgium, \n
    bolivia, bosnia, brazil, bulgaria, cambodia, cameroon, canada, chile, china, colombia, congo, costa rica,
    croatia, \n    cuba, cyprus, czechia, czech republic, denmark, ecuador, egypt, england, estonia, ethiopia,
    finland, france, georgia, \n    germany, ghana, greece, guatemala, hungary, iceland, india, indonesia, iran,
    iraq, ireland, israel, italy, jamaica, \n    japan, jordan, kazakhstan, kenya, korea, south korea, north korea,
    kuwait, latvia, lebanon, lithuania, luxembourg, \n    malaysia, mali, malta, mexico, moldova, mongolia, morocco,
    nepal, netherlands, new zealand, nigeria, norway, \n    pakistan, panama, paraguay, peru, philippines, poland,
    portugal, qatar, romania, russia, saudi arabia, scotland, \n    senegal, serbia, singapore, slovakia, slovenia,
    south africa, spain, sri lanka, sudan, sweden, switzerland, syria, \n    taiwan, tanzania, thailand, tunisia,
    turkey, uganda, uk, ukraine, united kingdom, united states, uruguay, usa, us, \n    uae, venezuela, vietnam,
    wales, yemen, zambia, zimbabwe, al, ak, az, ar, ca, co, ct, de, fl, ga, hi, id, il, ia, ks, \n    ky, la, me,
    md, ma, mi, mn, ms, mo, mt, ne, nv, nh, nj, nm, ny, nc, nd, oh, ok, or, pa, ri, sc, sd, tn, tx, ut, \n    vt,
    va, wa, wv, wi, wy, dc, alabama, alaska, arizona, arkansas, california, colorado, connecticut, delaware, \n
    florida, hawaii, idaho, illinois, indiana, iowa, kansas, kentucky, louisiana, maine, maryland, massachusetts, \n
    michigan, minnesota, mississippi, missouri, montana, nebraska, nevada, new hampshire, new jersey, new mexico, \n
    north carolina, north dakota, ohio, oklahoma, oregon, pennsylvania, rhode island, south carolina, south dakota,
    \n    tennessee, texas, utah, vermont, virginia, washington, west virginia, wisconsin, wyoming, ontario, quebec,
    \n    british columbia, bavaria, catalonia
    """
)
"""Countries and states in lower case: the second half of "Paris, France" and "Austin, TX"."""

COORDINATES: dict[str, tuple[float, float]] = {
    "amsterdam": (52.37, 4.90),
    "athens": (37.98, 23.73),
    "auckland": (-36.85, 174.76),
    "bangkok": (13.76, 100.50),
    "barcelona": (41.39, 2.17),
    "beijing": (39.90, 116.41),
    "berlin": (52.52, 13.41),
    "bogotá": (4.71, -74.07),
    "boston": (42.36, -71.06),
    "brussels": (50.85, 4.35),
    "budapest": (47.50, 19.04),
    "buenos aires": (-34.60, -58.38),
    "cairo": (30.04, 31.24),
    "cape town": (-33.92, 18.42),
    "chicago": (41.88, -87.63),
    "copenhagen": (55.68, 12.57),
    "delhi": (28.61, 77.21),
    "dubai": (25.20, 55.27),
    "dublin": (53.35, -6.26),
    "hamburg": (53.55, 9.99),
    "hanoi": (21.03, 105.85),
    "helsinki": (60.17, 24.94),
    "hong kong": (22.32, 114.17),
    "istanbul": (41.01, 28.98),
    "jakarta": (-6.21, 106.85),
    "johannesburg": (-26.20, 28.05),
    "lagos": (6.52, 3.38),
    "lima": (-12.05, -77.04),
    "lisbon": (38.72, -9.14),
    "london": (51.51, -0.13),
    "los angeles": (34.05, -118.24),
    "madrid": (40.42, -3.70),
    "manila": (14.60, 120.98),
    "melbourne": (-37.81, 144.96),
    "mexico city": (19.43, -99.13),
    "milan": (45.46, 9.19),
    "montreal": (45.50, -73.57),
    "moscow": (55.76, 37.62),
    "mumbai": (19.08, 72.88),
    "munich": (48.14, 11.58),
    "nairobi": (-1.29, 36.82),
    "new york": (40.71, -74.01),
    "oslo": (59.91, 10.75),
    "paris": (48.86, 2.35),
    "prague": (50.08, 14.44),
    "rio de janeiro": (-22.91, -43.17),
    "rome": (41.90, 12.50),
    "san francisco": (37.77, -122.42),
    "santiago": (-33.45, -70.67),
    "são paulo": (-23.55, -46.63),
    "seattle": (47.61, -122.33),
    "seoul": (37.57, 126.98),
    "shanghai": (31.23, 121.47),
    "singapore": (1.35, 103.82),
    "stockholm": (59.33, 18.07),
    "sydney": (-33.87, 151.21),
    "tokyo": (35.68, 139.69),
    "toronto": (43.65, -79.38),
    "vancouver": (49.28, -123.12),
    "vienna": (48.21, 16.37),
    "warsaw": (52.23, 21.01),
    "washington": (38.91, -77.04),
    "zurich": (47.38, 8.54),
}
"""Latitude and longitude in degrees of some large cities, rounded to 0.01."""
