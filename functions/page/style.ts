/** The page's one style sheet, served by itself: inline styles are forbidden like inline scripts. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --bg: #f6f6f3; --card: #ffffff; --text: #1d2125; --muted: #58616b; --line: #dcdcd6; --link: #0b57a4;
  --good: #14623a; --good-bg: #e3f3e8; --warn: #6e4700; --warn-bg: #fdf0cf; --bad: #9b1620; --bad-bg: #fce6e6;
  --unsure: #57379a; --unsure-bg: #ede7f8; --accent: #0b57a4; --accent-text: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #131619; --card: #1b1f23; --text: #e6e8ea; --muted: #a4adb6; --line: #333a41; --link: #86bcff;
    --good: #86dba7; --good-bg: #12301f; --warn: #f4c970; --warn-bg: #33270c; --bad: #ffa3a3; --bad-bg: #3b1719;
    --unsure: #d0baff; --unsure-bg: #2b2142; --accent: #86bcff; --accent-text: #10161d;
  }
}
* { box-sizing: border-box; }
html { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
body { margin: 0; background: var(--bg); color: var(--text); }
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1rem; }
header { display: flex; align-items: center; justify-content: space-between; gap: .25rem 1rem; flex-wrap: wrap; padding-block: .75rem; }
header nav { display: flex; align-items: center; gap: 0 1.25rem; flex-wrap: wrap; margin-left: auto; }
header nav form { margin: 0; }
.home { display: inline-flex; align-items: center; gap: .5rem; font-weight: 650; color: inherit; text-decoration: none; }
footer { color: var(--muted); font-size: .875rem; padding-block: 2rem 3rem; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -100vw; background: var(--card); padding: .5rem 1rem; }
.skip:focus { left: 1rem; top: .5rem; z-index: 1; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.125rem; margin: 2rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; overflow-wrap: anywhere; }
p { margin: 0 0 .75rem; }
code { font: .9em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.muted, .age { color: var(--muted); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .625rem; padding: 1.25rem; }
.card > h3:first-child { margin-top: 0; }
.card > :last-child { margin-bottom: 0; }
.card + .muted { margin-top: .75rem; }
.narrow { max-width: 30rem; margin: 2rem auto; }
.verdict { display: flex; gap: 1rem; align-items: flex-start; border-left-width: .375rem; margin-bottom: 1rem; }
.verdict h1 { margin-bottom: .25rem; }
.verdict p { margin: 0; }
.verdict .sign { font-size: 1.5rem; width: 2.75rem; height: 2.75rem; }
.sign { display: inline-flex; align-items: center; justify-content: center; flex: none; border-radius: 50%;
  width: 1.375rem; height: 1.375rem; font-size: .875rem; font-weight: 700; line-height: 1; }
.good .sign, .kept .sign { background: var(--good-bg); color: var(--good); }
.warning .sign, .pending .sign { background: var(--warn-bg); color: var(--warn); }
.bad .sign, .broken .sign { background: var(--bad-bg); color: var(--bad); }
.unknown .sign { background: var(--unsure-bg); color: var(--unsure); }
.card.good { border-left-color: var(--good); }
.card.warning { border-left-color: var(--warn); }
.card.bad { border-left-color: var(--bad); }
.notice { border-radius: .375rem; padding: .625rem .75rem; }
.notice.bad { background: var(--bad-bg); color: var(--bad); }
.notice.warning { background: var(--warn-bg); color: var(--warn); }
.troubles { list-style: none; margin: 0; padding: 0; }
.troubles li { display: flex; gap: .75rem; padding: .75rem 0; border-top: 1px solid var(--line); }
.troubles li:first-child { border-top: 0; padding-top: 0; }
.troubles li:last-child { padding-bottom: 0; }
.troubles p { margin: 0; overflow-wrap: anywhere; }
details > summary { cursor: pointer; padding: .5rem 0; color: var(--link); }
.filters { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin-bottom: 1rem; }
.filters > div { display: grid; grid-template-columns: minmax(0, 1fr); gap: .25rem; }
.filters .grow { flex: 1 1 14rem; }
label { font-weight: 600; font-size: .875rem; }
.stacked { display: grid; grid-template-columns: minmax(0, 1fr); gap: .625rem; }
.stacked p { margin: 0; }
input, select, textarea, button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--muted);
  border-radius: .375rem; padding: .5rem .75rem; min-height: 2.75rem; max-width: 100%; }
textarea { width: 100%; min-height: 14rem; font: .875rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
button { background: var(--accent); color: var(--accent-text); border-color: var(--accent); font-weight: 600; cursor: pointer; }
button.quiet { background: none; color: var(--link); border-color: transparent; font-weight: 400; text-decoration: underline;
  text-underline-offset: .15em; padding-inline: .25rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.scroll { overflow-x: auto; padding-block: .375rem; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .625rem .75rem .625rem 0; border-top: 1px solid var(--line); }
thead th { border-top: 0; font-size: .8125rem; color: var(--muted); font-weight: 600; }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
.promises th:first-child { min-width: 9.5rem; }
.group th:first-child { width: 30%; }
.group th:nth-child(2) { width: 40%; }
.lamp { display: flex; gap: .5rem; align-items: flex-start; margin-bottom: .375rem; }
.lamp:last-child { margin-bottom: 0; }
.lamp.broken strong { color: var(--bad); }
.lamp.unknown strong { color: var(--unsure); }
.lamp.pending strong { color: var(--warn); }
.age { display: block; font-size: .875rem; font-weight: 400; }
.line { display: block; }
.line + .line { margin-top: .25rem; }
.trail { margin-bottom: .75rem; font-size: .875rem; }
.remarks { margin: 0; padding-left: 2.5rem; }
.choices { display: flex; flex-wrap: wrap; gap: .5rem 1rem; margin-bottom: 1rem; }
.choices [aria-current="true"] { font-weight: 700; color: inherit; text-decoration: none; }
.field { display: grid; grid-template-columns: minmax(0, 1fr); gap: .25rem; }
.forecast { margin-top: 1rem; }
.pages { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; margin-top: 1rem; }
.plan { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: .875rem/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.plan + p { margin-top: .75rem; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .375rem 1rem; margin: 0; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.picture { display: block; width: 100%; height: auto; min-width: 40rem; }
.picture text { font: 12px system-ui, sans-serif; fill: var(--muted); }
.picture .lane { stroke: var(--line); stroke-width: 1; }
.picture .now { stroke: var(--text); stroke-width: 1.5; stroke-dasharray: 4 3; }
.picture .slot { stroke: var(--muted); stroke-width: 1.5; }
.picture .slot.bad { stroke: var(--bad); stroke-width: 3; }
.picture .snapshot { fill: var(--link); }
.picture .snapshot.verified { fill: var(--good); }
.picture .snapshot.unverified { fill: var(--card); stroke: var(--warn); stroke-width: 2; }
.picture .snapshot.strange { fill: var(--card); stroke: var(--muted); stroke-width: 1.5; }
.picture .held { fill: none; stroke: var(--unsure); stroke-width: 2; }
.picture .going { stroke: var(--bad); stroke-width: 2; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: .75rem 0 0; padding: 0; font-size: .875rem;
  color: var(--muted); }
.legend li { display: flex; align-items: center; gap: .375rem; }
.legend .picture { width: 18px; min-width: 0; }
@media (max-width: 40rem) {
  .stack thead { position: absolute; left: -100vw; }
  .stack, .stack tbody, .stack tr, .stack th, .stack td { display: block; }
  .stack tr { border-top: 1px solid var(--line); padding: .625rem 0; }
  .stack tr:first-child { border: 0; }
  .stack th, .stack td { border: 0; width: auto !important; padding: .125rem 0; }
  .stack td::before { content: attr(data-label); display: block; font-size: .8125rem; color: var(--muted); }
  .stack td:empty { display: none; }
  .filters > * { flex: 1 1 100%; }
  .filters button { width: 100%; }
  .plan + p { margin-top: .75rem; }
.facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .5rem; }
}
@media print {
  :root { --bg: #fff; --card: #fff; --text: #000; --muted: #444; --line: #bbb; --link: #000; --good: #000; --warn: #000; --bad: #000;
    --good-bg: #fff; --warn-bg: #fff; --bad-bg: #fff; --unsure: #000; --unsure-bg: #fff; }
  header nav, .filters, .pages, .skip { display: none; }
  .card { border-color: #999; }
  .sign { border: 1px solid #000; }
  tr, .troubles li { break-inside: avoid; }
}
`

/** A stirrup, which the bone called stapes is named after. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><g fill="none" stroke="#1f8a55" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round"><path d="M16 4v5"/><path d="M6 27c-1-10 3-18 10-18s11 8 10 18"/><path d="M4 27h24"/></g></svg>`
