// What is read on walls of many sizes: on no seam, large enough, all there.
//
// Plan
//   walls of 1, 2 x 2, 3 x 2 and 4 x 2 screens of several sizes, with
//   bezels, in both languages, the whole city, a place of the tour and a panel
//   that is enlarged: every
//   letter lies within one screen, none is cut, nothing scrolls
//   at ten metres: no letter is smaller than the base unit, a 54th of the
//   wall's height. On a wall 2.7 m tall that is 50 mm, 17 minutes of arc at
//   10 m; ISO 9241-303 asks for 16. Only where four screens stand above each
//   other, and in what is enlarged on small ones, they are smaller
//   all rows of all panels are seen, and below the map the city's name, reports
//   and what stands beside names, where a screen is not too narrow for it
//   the place that the tour shows lies within one screen
//   words of a heading stand beside each other, told in tens too; the legend
//   says what the field is, and each step of the loop what waits there
import assert from 'node:assert/strict';
import test from 'node:test';

import { makeSynthetic } from './roles.mjs';
import { serve } from './server.mjs';
import { filled, launch, open, skip, until } from './wall_page.mjs';

/** Smallest letters, in units; and of a panel that stands over the map of small screens. */
const LEAST = 1, LEAST_LARGE = 0.74;
const DISTANCE_MM = 10000, ARC_MINUTES = 16, TALL_MM = 2700;

const WALLS = [
    { width: 1920, height: 1080 }, { width: 1920, height: 1080, lang: 'en' }, { width: 7680, height: 2160, lang: 'en' }, { width: 3860, height: 2180, screens: '2x2', bezel: 20, lang: 'en' },
    { width: 1920, height: 1080, screens: '2x2', bezel: 10 }, { width: 5808, height: 2184, screens: '3x2', bezel: 24, lang: 'en' },
    { width: 3840, height: 2160, screens: '5x3', bezel: '30,22', brief: true }, { width: 1920, height: 1080, screens: '3x3', bezel: 20, lang: 'en' },
    { width: 3840, height: 2160, screens: '4x4', bezel: 10, smallest: 0.79, brief: true, keys: ['', 'ArrowRight'] }, { width: 2880, height: 1080, screens: '3x2', bezel: 12 }, { width: 7752, height: 2184, screens: '4x2', bezel: 24 },
];
/** Words of headings that run into each other, as who is told tens only sees them. */
const together = (page, large) => page.evaluate((large) => {
    const said = [];
    for (const p of window.onemapWall.panels) {
        if (large && !p.node.classList.contains('large')) continue;
        const parts = [...p.node.querySelectorAll('h2, h2 > *, h2 .value > *, .total > *')].flatMap((n) => [...n.childNodes]).filter((n) => n.nodeType === Node.TEXT_NODE && n.data.trim()).map((n) => {
            const range = document.createRange();
            range.selectNodeContents(n);
            return { text: n.data, r: range.getBoundingClientRect() };
        }).filter((b) => b.r.width).sort((a, b) => a.r.left - b.r.left);
        const right = p.node.getBoundingClientRect().right;
        parts.forEach((b, i) => { if (b.r.right > (parts[i + 1]?.r.left ?? right) + 1) said.push(`${p.key}: ${b.text} | ${parts[i + 1]?.text ?? ''}`); });
    }
    return said;
}, large);
/** What a wall has to say, and has no room for: units, what is not connected and what is late, what a dot means. */
const unsaid = (page, brief) => page.evaluate((brief) => {
    const { onemapWall: { part, catalog } } = window, said = [], en = document.documentElement.lang === 'en', name = (l) => (en && (l.title_en ?? l.name)) || l.title;
    const seen = (n, room) => { const r = n.getBoundingClientRect(), b = room.getBoundingClientRect(); return r.width > 0 && r.bottom <= b.bottom + 0.2 * window.onemapWall.layout.unitPx && r.right <= b.right + 1; };
    const sources = document.getElementById('at-sources');
    for (const [i, n] of [...sources.querySelectorAll('.absent span:not(.is-absent)')].entries()) if (!seen(n, sources)) said.push(`not connected: ${name(part.sources.awaited[i])}`);
    if (sources.querySelectorAll('.absent span:not(.is-absent)').length !== part.sources.awaited.length) said.push('not connected');
    if (![...sources.querySelectorAll('li.late')].some((n) => seen(n, sources))) said.push('late');
    for (const n of en ? [] : document.querySelectorAll('.total .unit')) if (!seen(n, n.closest('.panel')) && !n.closest('.panel').querySelector('thead').textContent.includes(n.textContent)) said.push(`unit: ${n.textContent}`);
    for (const n of document.querySelectorAll('thead span:not(.hidden)')) {
        const range = document.createRange();
        range.selectNodeContents(n);
        if (!seen(range, n.closest('.panel'))) said.push(n.textContent);
    }
    for (const n of document.querySelectorAll('.panel tbody tr, .register .figure, .service .figure, .reach, .meter, .voice .figure, .departments .names li, .towns .names li')) if (!seen(n, n.closest('.panel'))) said.push(`${n.closest('.panel').id}: ${n.textContent}`);
    for (const id of ['synthetic', 'as-of', ...(brief ? [] : ['city'])]) if (!seen(document.getElementById(id), document.getElementById('ticker'))) said.push(id);
    if (!brief && !seen(document.querySelector('#legend .crew'), document.getElementById('ticker'))) said.push('what stands beside names');
    if (!document.querySelector('#latest li')?.getClientRects().length) said.push('reports');
    if (!document.querySelector('#at-patrol .is-hidden')) said.push('a dot');
    if (!seen(document.getElementById('few'), document.getElementById('ticker'))) said.push('what a dot means');
    return said;
}, brief);
/** What lies behind the words does not matter, and takes long. */
const NOTHING = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64');

/** Every letter that is read: boxes on the wall, and sizes in pixels. */
const letters = (page) => page.evaluate(() => {
    const { onemapWall: wall } = window, out = [];
    const walk = document.createTreeWalker(document.getElementById('wall'), NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        const parent = node.parentElement, style = getComputedStyle(parent);
        if (!node.data.trim() || parent.closest('.hidden, [hidden], #map') || style.visibility === 'hidden') continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        // Words that an ellipsis cuts are read as far as their room goes.
        let room = { left: -1e9, right: 1e9, top: -1e9, bottom: 1e9 };
        for (let at = parent; at; at = at.parentElement) if (getComputedStyle(at).overflowX === 'hidden') {
            const r = at.getBoundingClientRect();
            room = { left: Math.max(room.left, r.left), right: Math.min(room.right, r.right), top: Math.max(room.top, r.top), bottom: Math.min(room.bottom, r.bottom) };
        }
        for (const r of range.getClientRects()) {
            const x = Math.max(r.left, room.left), y = Math.max(r.top, room.top), box = { x, y, w: Math.min(r.right, room.right) - x, h: Math.min(r.bottom, room.bottom) - y };
            if (box.w > 1 && box.h > 1) out.push({ ...box, sizePx: parseFloat(style.fontSize), text: node.data.slice(0, 30) });
        }
    }
    const map = document.getElementById('map-room').getBoundingClientRect();
    for (const l of wall.overlay.written) out.push({ ...l, x: l.x + map.left, y: l.y + map.top });
    for (const chart of wall.panels.flatMap((p) => p.charts)) {
        const at = chart.element.getBoundingClientRect();
        if (at.width < 2 || at.height < 2) continue;
        chart.chart.getZr().storage.getDisplayList(true).filter((s) => s.type === 'tspan').forEach((s) => {
            const r = s.getBoundingRect().clone();
            if (s.transform) r.applyTransform(s.transform);
            out.push({ x: at.left + r.x, y: at.top + r.y, w: r.width, h: r.height, sizePx: parseFloat(/([\d.]+)px/.exec(s.style.font)?.[1] ?? '0'), text: String(s.style.text), canvas: true });
        });
    }
    return { out, unitPx: wall.layout.unitPx, screens: wall.layout.screens };
});

/** Words that are cut: names and heads with less room than they need, a sentence that does not fit. */
const cut = (page) => page.evaluate(() => {
    const names = [...document.querySelectorAll(':is(.departments, .towns) .names li, .towns .head, .sources .name, .panel .note, .figure .name, .today span, .ages > *, #place, .details span:first-child, th')];
    // What reaches a little beyond its cell is not cut by it.
    const slack = (n) => getComputedStyle(n).overflowX === 'visible' ? 0.3 * window.onemapWall.layout.unitPx : 1;
    const said = names.filter((n) => n.getClientRects().length && !n.closest('.hidden') && n.scrollWidth > n.clientWidth + slack(n) && n.clientWidth > 0).map((n) => `${n.closest('.panel')?.id ?? n.id}: ${n.textContent} ${n.scrollWidth - n.clientWidth}`);
    // What a room hides of words that are its own.
    const ticker = document.getElementById('ticker').getBoundingClientRect();
    for (const n of document.querySelectorAll('#marks > *, #legend > *, #latest > li')) {
        const r = n.getBoundingClientRect();
        if (r.height && !n.hidden && (r.top < ticker.top - 2 || r.bottom > ticker.bottom + 2 || r.right > ticker.right + 2)) said.push(`below the map: ${n.textContent}`);
    }
    for (const p of document.querySelectorAll('.panel.large')) {
        const room = p.getBoundingClientRect(), low = Math.max(...[...p.querySelectorAll('.second, .chart, .departments li')].map((n) => n.getBoundingClientRect().bottom));
        if (low > room.bottom + 2) said.push(`${p.id}: ${Math.round(low - room.bottom)} px below its end`);
    }
    const room = document.getElementById('caption').getBoundingClientRect(), words = document.getElementById('sentence').getBoundingClientRect();
    if (words.bottom > room.bottom + 2 || document.getElementById('place').getBoundingClientRect().top < room.top - 2) said.push(`sentence: ${document.getElementById('sentence').textContent}`);
    return said;
});

const inside = (r, s, slack) => r.x >= s.x - slack && r.y >= s.y - slack && r.x + r.w <= s.x + s.w + slack && r.y + r.h <= s.y + s.h + slack;

test('walls of many sizes', { skip }, async (t) => {
    assert.ok(Math.atan(TALL_MM / 54 / DISTANCE_MM) * 180 * 60 / Math.PI > ARC_MINUTES);
    const { city } = await makeSynthetic(t, 0.001), { url } = await serve(t, city);
    const { context, close } = await launch({ gl: false });
    t.after(close);
    await context.route((u) => u.pathname === '/map.png', (route) => route.fulfill({ status: 200, contentType: 'image/png', body: NOTHING }));
    for (const { width, height, screens = '', bezel = 0, lang = 'zh-CN', smallest = LEAST, brief = false, keys = ['', 'ArrowRight', '2'] } of WALLS) await t.test(`${width} x ${height} ${screens} ${lang}`, async () => {
        const { page, log } = await open(context, `${url}/wall?motion=no&lang=${lang}${screens && `&wall=${screens}&bezel=${bezel}`}`, { width, height });
        await filled(page);
        // A place, whatever this small city has of them.
        await page.evaluate(() => {
            const { onemapWall: wall } = window, { features } = wall.store.value(wall.part.map.tour.key);
            wall.pause(true);
            for (const f of features) Object.assign(f.properties, { bin: 3, ratio: 2 });
            wall.places();
        });
        // As for who is told no more than tens.
        await page.evaluate(() => {
            const { onemapWall: wall } = window, { rows } = wall.store.value('patrol');
            for (const r of rows) r.hidden = 0;
            // Of a city of full size: one that is too few, and the rest in tens of thousands.
            rows.forEach((r, i) => Object.assign(r, { due: 227160 - i * 10, done: 200250, overdue: i ? 41500 : null, unjudged: 122500 }));
            // Sources of many moments.
            wall.catalog.layers.forEach((l, i) => { l.as_of = new Date(wall.clock.utcMs - i * 3e6).toISOString(); });
            wall.catalog.layers.at(-1).as_of = new Date(wall.clock.utcMs - 1e12).toISOString();
            for (const [key, count] of [['houses:rental', 384000], ['houses:premises', 602000]]) wall.store.value(key).count = count;
            wall.lay();
        });
        assert.equal(await page.evaluate(() => [...document.querySelectorAll(':is(#at-patrol, #at-premises) .note')].filter((n) => /取整到十|in tens/.test(n.textContent)).length), 2);
        for (const key of keys) {
            const place = key === 'ArrowRight';
            if (key) await page.keyboard.press(key);
            if (key === '2') await until('it is large', () => page.evaluate(() => document.querySelectorAll('.large .second').length === 2));
            if (place) {
                await until('a place', () => page.evaluate(() => !!window.onemapWall.tour.at));
                await until('it is named', () => page.evaluate(() => window.onemapWall.overlay.written.some((w) => w.sizePx > 1.2 * window.onemapWall.layout.unitPx)));
            }
            await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
            const { out, unitPx, screens: parts } = await letters(page), least = (key === '2' && screens ? Math.min(smallest, LEAST_LARGE) : smallest) * unitPx;
            assert.ok(out.length > 150, `${out.length} words`);
            assert.ok(out.some((w) => w.canvas), 'words of charts are looked at, too');
            assert.equal(Math.round(unitPx * 54), height);
            // Boxes of letters are a little larger than what is seen of them.
            assert.deepEqual(out.filter((w) => !parts.some((s) => inside(w, s, 0.3 * unitPx))).map((w) => `${w.text} ${Math.round(w.x)},${Math.round(w.y)} ${Math.round(w.w)}x${Math.round(w.h)}`), [], 'on a seam');
            assert.deepEqual([...new Set(out.filter((w) => w.sizePx < 0.99 * least - 0.5).map((w) => `${w.text} ${(w.sizePx / unitPx).toFixed(2)}`))], [], 'too small');
            assert.deepEqual(await together(page, key === '2'), [], 'words run into each other');
            if (!key) assert.deepEqual(await unsaid(page, brief), [], 'told, each in its unit');
            assert.deepEqual(await cut(page), [], 'words are cut');
            const legend = out.filter((w) => (lang === 'en' ? /^Hazards · halved in 14 d/ : /^隐患密度 · 14天减半/).test(w.text));
            assert.equal(legend.length, 1, 'the legend says what the field is');
            const colours = await page.evaluate(() => [...document.querySelectorAll('#legend .ramp span')].map((c) => c.getBoundingClientRect()).filter((r) => r.width > 1 && r.height > 4).length);
            assert.ok(colours > 8, `${colours} colours`);
            const waits = await page.evaluate((l) => window.onemapWall.part.loop.steps.map((s) => l === 'en' ? s.waits_en : s.waits), lang);
            assert.deepEqual(waits.filter((w) => !out.some((o) => o.canvas && o.text === w)), [], 'what waits is named');
            const flat = await page.evaluate(() => window.onemapWall.panels.filter((p) => !window.onemapWall.large || p.node.classList.contains('large')).flatMap((p) => p.charts.filter((c) => c.element.clientHeight < 1.5 * c.unitPx).map((c) => `${p.key}: ${c.element.className} ${c.element.clientHeight}`)));
            assert.deepEqual(flat, [], 'charts have room');
            if (place) {
                const box = await page.evaluate(() => {
                    const { onemapWall: wall } = window, map = document.getElementById('map-room').getBoundingClientRect(), { features } = wall.spots.get(wall.tour.at.id);
                    const at = features.flatMap(({ geometry }) => geometry.coordinates.flat(geometry.type === 'Polygon' ? 1 : 2)).map(([lon, lat]) => wall.map.project(lon, lat));
                    const xs = at.map((p) => p.x + map.left), ys = at.map((p) => p.y + map.top);
                    return { x: Math.min(...xs), y: Math.min(...ys), w: Math.max(...xs) - Math.min(...xs), h: Math.max(...ys) - Math.min(...ys) };
                });
                assert.ok(box.w > 2 * unitPx && parts.some((s) => inside(box, s, 1)), `the place is on one screen: ${JSON.stringify(box)}`);
            }
        }
        assert.deepEqual(await page.evaluate(() => [document.scrollingElement.scrollWidth - innerWidth, document.scrollingElement.scrollHeight - innerHeight]), [0, 0]);
        assert.deepEqual([log.bad, log.said], [[], []]);
        await page.close();
    });
});
