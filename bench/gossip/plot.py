#!/usr/bin/env python3
"""Draws what covey_gossip_sim --json has measured as SVG.

usage: build/release/covey_gossip_sim --json | bench/gossip/plot.py > docs/design/membership.svg
"""

import json
import math
import sys

WIDTH, HEIGHT, MARGIN = 340, 180, 60
COLOURS = ["#2060c0", "#208040", "#c08020", "#c02020"]
STYLE = (
    "text{font:11px sans-serif;fill:#333}"
    "path{fill:none;stroke-width:1.5}"
    ".axis{stroke:#999;stroke-width:1}"
    ".theory{stroke:#888;stroke-dasharray:4 3}"
)


def place(members, value, sizes, most):
    low, high = math.log2(sizes[0]), math.log2(sizes[-1])
    x = WIDTH * (math.log2(members) - low) / ((high - low) or 1)
    return f"{x:.1f},{HEIGHT - HEIGHT * value / most:.1f}"


def chart(left, title, curves, sizes):
    """Curves of (name, colour or nothing for the theory, {members: value})."""
    most = max(v for _, _, points in curves for v in points.values()) or 1
    parts = [
        f'<g transform="translate({left},{MARGIN})">',
        f'<text x="0" y="-36">{title}</text>',
        f'<path class="axis" d="M0,0V{HEIGHT}H{WIDTH}"/>',
        f'<text x="-6" y="8" text-anchor="end">{most:.3g}</text>',
        f'<text x="-6" y="{HEIGHT}" text-anchor="end">0</text>',
    ]
    for n in sizes:
        x = place(n, 0, sizes, most).split(",")[0]
        parts.append(f'<text x="{x}" y="{HEIGHT + 14}" text-anchor="middle">{n}</text>')
    for i, (name, colour, points) in enumerate(curves):
        path = " ".join(place(n, v, sizes, most) for n, v in sorted(points.items()))
        drawn = f'stroke="{colour}"' if colour else 'class="theory"'
        parts.append(f'<path {drawn} d="M{path}"/>')
        x, y = i % 3 * 110, -20 + i // 3 * 13
        parts.append(f'<text x="{x}" y="{y}" style="fill:{colour or "#888"}">{name}</text>')
    return "".join([*parts, "</g>"])


def main():
    if sys.argv[1:]:
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(0 if sys.argv[1] in ("-h", "--help") else 2)
    rows = json.load(sys.stdin)
    sizes = sorted({x["members"] for x in rows})
    losses = sorted({x["loss_percent"] for x in rows})

    def curves(field):
        return [
            (
                f"{loss:g} % loss",
                COLOURS[i % len(COLOURS)],
                {x["members"]: x[field] for x in rows if x["loss_percent"] == loss},
            )
            for i, loss in enumerate(losses)
        ]

    theory = ("log2 n", None, {n: math.log2(n) for n in sizes})
    charts = [
        ("rounds until all know a heartbeat", [*curves("rounds_of_heartbeat"), theory]),
        ("rounds until all know a death", [*curves("rounds_of_death"), theory]),
        ("bytes a node sends in a second", curves("bytes_per_node_second")),
    ]
    width = len(charts) * (WIDTH + 2 * MARGIN)
    drawn = "".join(
        chart(MARGIN + i * (WIDTH + 2 * MARGIN), title, lines, sizes)
        for i, (title, lines) in enumerate(charts)
    )
    print(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT + 2 * MARGIN}">'
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>{drawn}</svg>'
    )


if __name__ == "__main__":
    main()
