//! What pages have in common: HTML with its plots inside, that loads nothing. Light or dark as its reader's machine is;
//! where it is narrow, plots and tables scroll by themselves, and their text stays as large as it is.

use std::fmt;

use crate::chart::escape;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--muted:#475059;--grid:#dde1e6}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--paper:#14171a;--muted:#a9b1ba;--grid:#363c44}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:860px;margin:24px \
auto;padding:0 16px}\
h1{font-size:26px;margin:0 0 4px}h2{font-size:20px;line-height:1.25;margin:36px 0 4px}p{margin:4px 0 \
12px;color:var(--muted)}\
.wide{overflow-x:auto}.wide>*{min-width:680px}\
table{border-collapse:collapse;margin:8px 0;font-variant-numeric:tabular-nums}.wide>table{min-width:0}\
th,td{padding:4px 14px 4px 0;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}\
th{font-weight:600;vertical-align:bottom;white-space:normal}th:first-child,td:first-child{text-align:left}\
table.runs td:nth-child(-n+2){white-space:normal}table.runs :is(th,td){padding-right:10px}\
tr.chosen td{font-weight:700}svg{width:100%;height:auto;display:block}\
svg text{font:13px system-ui,sans-serif;fill:var(--ink)}svg text.label{fill:var(--muted)}\
svg .grid{stroke:var(--grid);stroke-width:1}\
ul.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 18px;margin:4px 0 8px;padding:0}ul.legend+svg{margin:0}\
ul.legend i{display:inline-block;width:14px;height:14px;margin-right:7px;vertical-align:-2px}";

/// Everything up to the heading. The title is escaped already.
pub(crate) fn head(f: &mut fmt::Formatter<'_>, title: &str) -> fmt::Result {
    writeln!(f, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>")?;
    writeln!(f, "<meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>")
}

/// A heading, some words and a plot.
pub(crate) fn section(f: &mut fmt::Formatter<'_>, title: &str, words: &str, plot: &str) -> fmt::Result {
    writeln!(f, "<h2>{}</h2><p>{}</p><div class=\"wide\">{plot}</div>", escape(title), escape(words))
}
