#!/usr/bin/env python3
"""Kills one of five nodes in the middle of a steady load, and shows what clients see.

usage: bench/kill.py [--rate 1000] [--seconds 20] [--connections 1] [--svg FILE]
                     [--knob NAME=VALUE]...

Five fresh nodes with default settings on loopback, default consistency, half gets and
half puts of 100 bytes through the client library, at fixed times whatever comes back.
Prints what was answered, what failed and the latencies of each second, and draws them.
"""

import argparse
import html
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "process"))

from cluster import start_cluster  # noqa: E402
from kill_run import KEYSPACES, run_through_kill  # noqa: E402
from series import STYLE, line  # noqa: E402

VICTIM = "n3"
WIDTH, HEIGHT, LEFT, TOP = 420, 160, 60, 60


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=1000, help="requests a second")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--connections", type=int, default=1, help="client objects")
    parser.add_argument("--svg", help="file to draw")
    parser.add_argument("--knob", action="append", default=[], metavar="NAME=VALUE")
    return parser.parse_args()


def print_table(run, killed_at):
    print("second  answered  failed  p50, ms  p99, ms  max, ms")
    for x in run["series"]:
        mark = f"  {VICTIM} is killed" if x["second"] == int(killed_at) + 1 else ""
        print(
            f"{x['second']:6} {x['operations']:9} {x['errors']:7} {x['p50_ms']:8.2f}"
            f" {x['p99_ms']:8.2f} {x['max_ms']:8.2f}{mark}"
        )
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(run["errors"].items()))
    count = run["latency_ms"]["all"]["count"]
    print(f"{count} answered, {run['error_count']} failed{kinds and f' ({kinds})'}")


def draw(run, killed_at, rate):
    """p99 by second as a curve, failures as bars under it, the kill as a line."""
    series = run["series"]
    p99 = [x["p99_ms"] for x in series]
    failed = [x["errors"] for x in series]
    most_ms, most_failed = max(*p99, 1), max(*failed, 1)
    step = WIDTH / (len(series) - 1)
    at = min(killed_at, len(series) - 1) * step
    bars = "".join(
        f'<rect x="{i * step - 3:.1f}" y="{HEIGHT - 40 * n / most_failed:.1f}" width="6"'
        f' height="{40 * n / most_failed:.1f}" fill="#c02020"/>'
        for i, n in enumerate(failed)
        if n
    )
    title = html.escape(f"{rate} requests a second, one of five nodes killed")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + 2 * LEFT}"'
        f' height="{HEIGHT + 2 * TOP}"><style>{STYLE}</style>'
        '<rect width="100%" height="100%" fill="#fff"/>'
        f'<g transform="translate({LEFT},{TOP})"><text x="0" y="-28">{title}</text>'
        f'<path class="axis" d="M0,0V{HEIGHT}H{WIDTH}"/>'
        f'<text x="-6" y="8" text-anchor="end">{most_ms:.3g}</text>'
        f'<text x="-6" y="{HEIGHT}" text-anchor="end">0</text>'
        f'<text x="{WIDTH}" y="{HEIGHT + 14}" text-anchor="end">{len(series)} s</text>'
        f'<path class="axis" stroke-dasharray="3" d="M{at:.1f},0V{HEIGHT}"/>'
        f'<text x="{at + 4:.1f}" y="10">kill -9</text>'
        f'<text x="0" y="-10" style="fill:#c08020">p99, ms</text>'
        f'<text x="90" y="-10" style="fill:#c02020">failed: {sum(failed)}</text>'
        f"{bars}{line(p99, most_ms, '#c08020')}</g></svg>\n"
    )


def main():
    asked = arguments()
    knobs = dict(knob.split("=", 1) for knob in asked.knob)
    cluster = start_cluster(5, KEYSPACES, knobs)
    try:
        report, killed_at = run_through_kill(
            cluster,
            VICTIM,
            asked.rate,
            asked.seconds,
            asked.seconds / 2,
            "--connections",
            asked.connections,
        )
    finally:
        cluster.close()
    print_table(report["run"], killed_at)
    if asked.svg:
        pathlib.Path(asked.svg).write_text(draw(report["run"], killed_at, asked.rate))


if __name__ == "__main__":
    main()
