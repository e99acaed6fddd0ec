/** The look of the page, light and dark. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --card: #ffffff; --text: #24292f; --quiet: #656d76; --grid: #e4e6e8; --warning: #9a6700;
  --series-0: #0b6bcb; --series-1: #d1571b; --series-2: #2c8a4b; --series-3: #8b46b8;
  --series-4: #b8860b; --series-5: #c0306e; --series-6: #178a8f; --series-7: #6b7280;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1c2024; --text: #e2e6ea; --quiet: #98a1aa; --grid: #30363c; --warning: #d9a83a;
    --series-0: #5aa9f5; --series-1: #f0864e; --series-2: #5fc27e; --series-3: #bd86e0;
    --series-4: #d9b24a; --series-5: #ea74a6; --series-6: #4fc1c6; --series-7: #a0a8b0;
  }
}
body { margin: 0 auto; padding: 1.5rem; max-width: 76rem; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 0 0 .4rem; }
section { background: var(--card); border: 1px solid var(--grid); border-radius: 8px; padding: 1rem 1.2rem; margin: 1.2rem 0; }
.quiet { color: var(--quiet); margin: .2rem 0 .8rem; } .warning { color: var(--warning); margin: .2rem 0; font-size: .9rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; } a { color: var(--series-0); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); gap: 1rem; }
.table { overflow-x: auto; } table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; margin-top: .8rem; }
th, td { padding: .25rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
th { font-weight: 600; color: var(--quiet); } tbody tr:hover { background: var(--page); } .left { text-align: left; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; } dt { color: var(--quiet); } dd { margin: 0; }
.charts:empty { display: none; } .charts > div { min-width: 0; }
.u-legend th, .u-legend td { border: 0; }
.u-title { font-size: .95rem; font-weight: 600; } .u-legend { font-size: .8rem; }
.u-inline.u-live th::after { content: none; } .u-legend .u-value { color: var(--quiet); min-width: 2.6em; text-align: left; }
.u-legend tr.u-series:first-child th { display: none; } .u-legend.bars tr.u-series:first-child, .u-legend.bars .u-value { display: none; }
.u-legend .u-off > * { opacity: .35; }
`;
