"""How the report looks: one style sheet, light and dark, also on paper."""

CSS = """
:root{color-scheme:light dark;
--paper:#fbfaf8;--card:#fff;--ink:#1d2129;--soft:#626a78;--faint:#8b92a0;--rule:#e6e3dd;--wash:#f3f1ec;
--blue:#2459c4;--amber:#b4690e;--good:#1c7c4d;--good-wash:#e4f3ea;--bad:#b3322a;--bad-wash:#fae9e7}
@media (prefers-color-scheme:dark){:root{
--paper:#14161b;--card:#1b1e25;--ink:#e7e9ee;--soft:#a2a9b7;--faint:#7d8594;--rule:#2c313b;--wash:#232730;
--blue:#82aaff;--amber:#f0b35e;--good:#6fd3a0;--good-wash:#17342a;--bad:#ff8f86;--bad-wash:#3d2021}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK SC",sans-serif}
main{max-width:1080px;margin:0 auto;padding:44px 24px 72px}
header{display:flex;flex-wrap:wrap;gap:8px 20px;align-items:center;margin-bottom:6px}
h1{font-size:27px;letter-spacing:-.015em;margin:0;font-weight:650}
h2{font-size:17px;margin:44px 0 4px;font-weight:650;letter-spacing:-.005em}
h3{font-size:14px;margin:0 0 8px;font-weight:600}
p{margin:0 0 12px;max-width:72ch}.soft{color:var(--soft)}
.verdict{font-size:13px;font-weight:650;padding:3px 12px;border-radius:99px}
.passed{color:var(--good);background:var(--good-wash)}.refused{color:var(--bad);background:var(--bad-wash)}
ul.reasons{margin:14px 0 0;padding:12px 16px 12px 34px;border-radius:10px;
color:var(--bad);background:var(--bad-wash)}
.tiles,.plots{display:grid;gap:14px;margin-top:14px;
grid-template-columns:repeat(auto-fit,minmax(min(100%,170px),1fr))}
.plots{grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr))}
.card{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:14px 16px;min-width:0}
.tile b{display:block;font-size:25px;font-weight:620;letter-spacing:-.02em;
font-variant-numeric:tabular-nums;line-height:1.25}
.tile span{color:var(--soft);font-size:13px}.tile small{display:block;color:var(--faint);font-size:12.5px}
.tile .up{color:var(--good)}.tile .down{color:var(--bad)}
.scroll{overflow-x:auto;margin-top:14px}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th{font-weight:600;color:var(--soft);text-align:left;font-size:12.5px;white-space:nowrap}
th,td{padding:6px 12px 6px 0;border-bottom:1px solid var(--rule);vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tbody tr:last-child td{border-bottom:0}tr.part td{border-top:2px solid var(--rule)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;margin:0;font-size:13.5px}
dt{color:var(--soft)}dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
dd.own{font-weight:650}
svg{display:block;width:100%;height:auto;font:12px system-ui,sans-serif;overflow:visible}
svg text{fill:var(--soft)}svg .name{fill:var(--faint)}
svg .mark{fill:var(--ink);font-weight:650;font-size:12.5px;
paint-order:stroke;stroke:var(--card);stroke-width:4px}
.grid{stroke:var(--rule);stroke-width:1}.axis{stroke:var(--faint);stroke-width:1}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.line.s0{stroke:var(--blue)}.line.s1{stroke:var(--amber)}
.dot.s0{fill:var(--blue)}.dot.s1{fill:var(--amber)}.best{fill:none;stroke:var(--ink);stroke-width:1.5}
.band{fill:var(--blue);opacity:.14}
.ideal{stroke:var(--faint);stroke-dasharray:4 4}.whisker{stroke:var(--blue);stroke-width:1.5;opacity:.55}
footer{margin-top:48px;color:var(--faint);font-size:12.5px}
@media print{main{padding:0;max-width:none}.card{break-inside:avoid}}
"""
