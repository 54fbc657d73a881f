#!/usr/bin/env python3
"""Draws the second-by-second series of covey-bench as SVG.

usage: covey-bench --json ... | bench/series.py > run.svg
       bench/series.py FILE... > runs.svg

Each FILE holds the JSON of one run, and gets a row: throughput with errors on
the left, median and 99th percentile of the latency on the right.
"""

import html
import json
import sys

WIDTH, HEIGHT, MARGIN = 420, 160, 60
STYLE = (
    "text{font:11px sans-serif;fill:#333}"
    "path{fill:none;stroke-width:1.5}"
    ".axis{stroke:#999;stroke-width:1}"
)


def line(points, most, colour):
    """A path through values from 0 to `most`, a second apart."""
    step = WIDTH / max(len(points) - 1, 1)
    places = " ".join(
        f"{i * step:.1f},{HEIGHT - HEIGHT * y / most:.1f}" for i, y in enumerate(points)
    )
    return f'<path stroke="{colour}" d="M{places}"/>'


def chart(x, y, title, seconds, curves):
    """Curves of (name, colour, values) over one pair of axes."""
    most = max((v for _, _, values in curves for v in values), default=0) or 1
    parts = [
        f'<g transform="translate({x},{y})">',
        f'<text x="0" y="-22">{html.escape(title)}</text>',
        f'<path class="axis" d="M0,0V{HEIGHT}H{WIDTH}"/>',
        f'<text x="-6" y="8" text-anchor="end">{most:.4g}</text>',
        f'<text x="-6" y="{HEIGHT}" text-anchor="end">0</text>',
        f'<text x="{WIDTH}" y="{HEIGHT + 14}" text-anchor="end">{seconds} s</text>',
    ]
    for i, (name, colour, values) in enumerate(curves):
        parts.append(f'<text x="{i * 90}" y="-8" style="fill:{colour}">{name}</text>')
        parts.append(line(values, most, colour))
    return "".join([*parts, "</g>"])


def row(report, number):
    series = report["run"]["series"]
    load = f"{report['rate']:g}/s" if report["rate"] else f"{report['clients']} clients"
    title = f"workload {report['workload']}, {report['distribution']}, {load}"

    def values(name):
        return [second[name] for second in series]

    y = MARGIN + number * (HEIGHT + 2 * MARGIN)
    counts = [
        ("successes/s", "#2060c0", values("operations")),
        ("errors/s", "#c02020", values("errors")),
    ]
    times = [
        ("p50, ms", "#208040", values("p50_ms")),
        ("p99, ms", "#c08020", values("p99_ms")),
    ]
    right = WIDTH + 3 * MARGIN
    return chart(MARGIN + 20, y, title, len(series), counts) + chart(
        right, y, "latency of the successes", len(series), times
    )


def main():
    files = sys.argv[1:]
    if files and files[0].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(0 if files[0] in ("-h", "--help") else 2)
    texts = [open(name).read() for name in files] if files else [sys.stdin.read()]
    reports = [json.loads(text) for text in texts]
    if not all(report["run"] for report in reports):
        sys.exit("series: a file holds a load without a run")
    width = 2 * WIDTH + 4 * MARGIN
    height = len(reports) * (HEIGHT + 2 * MARGIN)
    rows = "".join(row(report, i) for i, report in enumerate(reports))
    print(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>{rows}</svg>'
    )


if __name__ == "__main__":
    main()
