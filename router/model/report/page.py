"""The evaluation as one page of HTML that needs nothing from elsewhere, and no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from router.model.report import tables
from router.model.report.svg import COLOURS, SHAPES, Picture
from router.model.report.tables import Table

_STYLE = """
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: var(--back);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
a { color: var(--one); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; }
.quiet { color: var(--quiet); }
.wide { overflow-x: auto; margin: .75rem 0; }
.wide:focus-visible, summary:focus-visible { outline: 2px solid var(--one); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .875rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--rule);
  white-space: nowrap; }
td { font-variant-numeric: tabular-nums; }
thead th { color: var(--quiet); font-weight: 600; }
tbody th { font-weight: 500; }
tr.low { background: var(--soft); }
tr.low th::after { content: " ▾ low"; color: var(--two); font-size: .8em; }
figure { margin: 1rem 0; }
figcaption { color: var(--quiet); font-size: .875rem; }
svg { max-width: none; }
dl { display: grid; grid-template-columns: max-content auto; gap: .1rem 1rem; margin: .5rem 0; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: .25rem 0; }
@media print { .wide { overflow: visible; } }
"""

_LOW = "▾ low marks those whose interval lies wholly below the figure of all texts."


def page(report: Mapping[str, Any], pictures: Mapping[str, Picture]) -> str:
    """``report`` is what `router model evaluate --json` prints; ``pictures`` by their names."""
    model = f"{report['model']['name']}@{report['model']['version']}"
    sections = _sections(report, pictures)
    links = "".join(f'<li><a href="#{_id(title)}">{escape(title)}</a></li>' for title in sections)
    body = "".join(
        f'<section aria-labelledby="{_id(title)}"><h2 id="{_id(title)}">{escape(title)}</h2>'
        f"{content}</section>\n"
        for title, content in sections.items()
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Evaluation of {escape(model)}</title>
<style>{COLOURS}{SHAPES}{_STYLE}</style>
</head>
<body>
<header>
<h1>Evaluation of {escape(model)}</h1>
<p class="quiet">{report["n"]} labelled texts; none of them is in this page.</p>
{_facts(report)}
</header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main>
{body}</main>
</body>
</html>
"""


def _sections(report: Mapping[str, Any], pictures: Mapping[str, Picture]) -> dict[str, str]:
    """By title; what there are no texts for is left out."""
    note = (
        "<p>Shares have Wilson's interval, the rest that of a bootstrap; both of 95 %. They tell "
        "the chance in these texts, not how far other texts are from them; where there are next to "
        "no mistakes a bootstrap's are too narrow.</p>"
    )
    stages = _table(tables.stage_table(report)) if len(report["stages"]) > 1 else ""
    sections = {"Figures": note + _table(tables.main_table(report)) + stages}
    if report["n_intent"]:
        sections |= {
            "Calibration": _figure(pictures["reliability"])
            + _folded("The bins", tables.reliability_table(report)),
            "Risk and coverage": _figure(pictures["risk-coverage"]),
            "Languages": _noted(tables.language_table(report)),
            "Queues": _noted(tables.queue_table(report))
            + _figure(pictures["confusion-queues"])
            + _folded("The confusions", tables.confusion_table(report, "queues", 100)),
        }
    if flags := tables.flag_tables(report):
        words = (
            "Of the model alone, at the policy's thresholds; a policy's rules raise more. False "
            "alarms are on texts that have no flag at all."
        )
        sections["Safety flags"] = f"<p>{words}</p>" + "".join(map(_table, flags))
    if report["n_intent"]:
        sections["Intents"] = (
            _figure(pictures["confusion-intents"])
            + _folded("The 50 most frequent confusions",
                      tables.confusion_table(report, "intents", 50))
            + _folded("Every intent, the least F1 first", tables.intent_table(report))
        )  # fmt: skip
    return sections


def _facts(report: Mapping[str, Any]) -> str:
    policy, data = report["policy"], report["data"]
    facts = {
        "model": f"manifest {report['model']['hash']}",
        "policy": f"{policy['name']} {policy['version']}, {policy['hash']}",
        "texts": f"{data['file']}, SHA-256 {data['sha256']}",
        "of an intent": str(report["n_intent"]),
        "out of scope": str(report["n_out_of_scope"]),
    }
    rows = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    return f"<dl>{rows}</dl>"


def _figure(picture: Picture) -> str:
    """Scrolled sideways where the screen is narrow: a shrunk picture could not be read."""
    caption = f"<figcaption>{escape(picture.told)}</figcaption>"
    return f"<figure>{_wide(picture.title, picture.inline())}{caption}</figure>"


def _folded(title: str, table: Table) -> str:
    return f"<details><summary>{escape(title)}</summary>{_noted(table)}</details>"


def _noted(table: Table) -> str:
    """With a word on the rows that stand out, where some do."""
    return (f'<p class="quiet">{_LOW}</p>' if table.low else "") + _table(table)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    rows = "".join(_row(row, low=number in table.low) for number, row in enumerate(table.rows))
    return _wide(
        table.title,
        f"<table><caption>{escape(table.title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table>",
    )


def _row(row: Sequence[str], *, low: bool) -> str:
    kind = ' class="low"' if low else ""
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
    return f'<tr{kind}><th scope="row">{escape(row[0])}</th>{cells}</tr>'


def _wide(title: str, content: str) -> str:
    """What may be wider than the screen; the keyboard scrolls it."""
    label = escape(title)
    return f'<div class="wide" role="region" tabindex="0" aria-label="{label}">{content}</div>'


def _id(title: str) -> str:
    return title.lower().replace(" ", "-")
